/* Loops of a training step that torch takes many passes over memory for, each in one pass over its rows.

   Plain C for any compiler that knows OpenMP; `native.py` builds it for the machine at hand. Every function works row
   by row (or block by block), so that its results do not depend on the number of threads. Masks are those of
   `dropout.py`, bit for bit: the hash of an element's place.

   No -ffast-math: a loss that is not a number has to stay one. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (1 << 17) /* pairs of words that share an arithmetic progression, as in dropout.py */
#define LANES 16        /* floats of a processor's widest vector */
#define PIECE 2048      /* elements of a block of dropout's that are hashed at once */

/* exp(x) for x <= 0, to 2e-7 (Cephes, Moshier 1989); 1.2e-38 for all below -87.3, and NaN for NaN */
static inline float power(float x)
{
    x = x < -87.3f ? -87.3f : x;
    float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f; /* to the nearest whole number */
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static inline uint64_t mix(uint64_t word, uint64_t stream)
{
    uint64_t z = word + (stream + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint32_t scrambled(uint32_t h)
{
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    return h ^ (h >> 16);
}

/* Hash the pairs [first, first + count) into 32 bits each: two words of 16 bits, the lower one first */
static void hashed(uint64_t seed, int64_t first, int64_t count, uint32_t *pairs)
{
    while (count > 0) {
        uint64_t own = mix(seed, (uint64_t)(first / BLOCK));
        uint32_t start = (uint32_t)own, step = (uint32_t)(own >> 32) | 1u, place = (uint32_t)(first % BLOCK);
        int64_t here = BLOCK - first % BLOCK < count ? BLOCK - first % BLOCK : count;
        for (int64_t i = 0; i < here; i++)
            pairs[i] = scrambled(start + (place + (uint32_t)i) * step);
        pairs += here, first += here, count -= here;
    }
}

/* The words of the elements [first, first + count), from 0 to 65535 in the order of dropout.py's */
static const uint16_t *words(uint64_t seed, int64_t first, int64_t count, uint32_t *pairs)
{
    hashed(seed, first / 2, (first + count + 1) / 2 - first / 2, pairs);
    return (const uint16_t *)pairs + first % 2;
}

static inline float from_half(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t to_half(float value) /* bfloat16, to the nearest, to the even one of two; NaN stays NaN */
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    return (uint16_t)(value == value ? rounded : bits >> 16 | 0x40u);
}

/* out = x where a word is not among the lowest `dropped`, times scale; else 0. float32, or bfloat16 (`half` 1) */
void drop(const void *x, void *out, int32_t half, int64_t count, uint64_t seed, int32_t dropped, float scale,
          int32_t threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t first = 0; first < count; first += PIECE) {
        uint32_t pairs[PIECE / 2 + 1];
        int64_t here = count - first < PIECE ? count - first : PIECE;
        const uint16_t *word = words(seed, first, here, pairs);
        if (half) {
            const uint16_t *from = (const uint16_t *)x + first;
            uint16_t *to = (uint16_t *)out + first;
            for (int64_t i = 0; i < here; i++)
                to[i] = (int32_t)(word[i] ^ 0x8000) >= dropped ? to_half(from_half(from[i]) * scale) : 0;
        } else {
            const float *from = (const float *)x + first;
            float *to = (float *)out + first;
            for (int64_t i = 0; i < here; i++)
                to[i] = (int32_t)(word[i] ^ 0x8000) >= dropped ? from[i] * scale : 0.0f;
        }
    }
}

/* Queries, keys and values of all heads (B, T, 3, H, D), float32 or bfloat16, into float32 (3, B x H, T, D) */
void to_heads(const void *qkv, float *out, int32_t half, int64_t rows, int64_t length, int64_t heads, int64_t width,
              int32_t threads)
{
#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t place = 0; place < length; place++)
            for (int64_t part = 0; part < 3 * heads; part++) {
                int64_t from = ((row * length + place) * 3 * heads + part) * width;
                int64_t group = part / heads * rows * heads + row * heads + part % heads;
                float *to = out + (group * length + place) * width;
                if (half)
                    for (int64_t i = 0; i < width; i++)
                        to[i] = from_half(((const uint16_t *)qkv)[from + i]);
                else
                    memcpy(to, (const float *)qkv + from, (size_t)width * sizeof *to);
            }
}

/* The way back, of gradients; those of queries and keys are multiplied by the scale of their products */
void from_heads(const float *in, void *qkv, int32_t half, int64_t rows, int64_t length, int64_t heads, int64_t width,
                float scale, int32_t threads)
{
#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t place = 0; place < length; place++)
            for (int64_t part = 0; part < 3 * heads; part++) {
                int64_t to = ((row * length + place) * 3 * heads + part) * width;
                int64_t group = part / heads * rows * heads + row * heads + part % heads;
                const float *from = in + (group * length + place) * width;
                float factor = part < 2 * heads ? scale : 1.0f;
                if (half)
                    for (int64_t i = 0; i < width; i++)
                        ((uint16_t *)qkv)[to + i] = to_half(from[i] * factor);
                else
                    for (int64_t i = 0; i < width; i++)
                        ((float *)qkv)[to + i] = from[i] * factor;
            }
}

/* Turn a tile's products q k' into attention weights, negative where dropped, and `kept`: 0 there.

   rows x keys; row r is query `first + r % queries` and sees the keys up to its own, of `seen` (NULL: all) those that
   are not 0. A weight is dropped where its word is not among the lowest `stay`. */
void attend(float *scores, float *kept, const uint8_t *seen, int64_t rows, int64_t queries, int64_t keys,
            int64_t first, float scale, uint64_t seed, int32_t stay, int32_t threads)
{
#pragma omp parallel num_threads(threads)
    {
        uint32_t *pairs = malloc((size_t)(keys / 2 + 2) * sizeof *pairs);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row++) {
            float *w = scores + row * keys, *k = kept + row * keys, most = -INFINITY, sum = 0.0f;
            int64_t visible = first + row % queries + 1;
            if (visible > keys)
                visible = keys;
            int64_t open = visible + (LANES - visible % LANES) % LANES; /* whole vectors; what is hidden in them is -inf */
            if (open > keys)
                open = keys;
            if (seen) {
                const uint8_t *s = seen + row * keys;
                for (int64_t i = 0; i < open; i++)
                    w[i] = s[i] ? w[i] : -INFINITY;
            }
            for (int64_t i = visible; i < open; i++)
                w[i] = -INFINITY;
#pragma omp simd reduction(max : most)
            for (int64_t i = 0; i < open; i++)
                most = w[i] > most ? w[i] : most;
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < open; i++) {
                float e = power((w[i] - most) * scale);
                e = w[i] == -INFINITY ? 0.0f : e;
                w[i] = e;
                sum += e;
            }
            float share = 1.0f / sum;
            const uint16_t *word = words(seed, row * keys, open, pairs);
#pragma omp simd
            for (int64_t i = 0; i < open; i++) {
                float weight = w[i] * share;
                int stays = (int32_t)(word[i] ^ 0x8000) < stay;
                w[i] = stays ? weight : -weight;
                k[i] = stays ? weight : 0.0f;
            }
            memset(w + open, 0, (size_t)(keys - open) * sizeof *w);
            memset(k + open, 0, (size_t)(keys - open) * sizeof *k);
        }
        free(pairs);
    }
}

/* Turn the gradient of a tile's kept weights into that of its scores (before their scale), and fill `kept` again */
void attend_backward(const float *weights, float *gradient, float *kept, int64_t rows, int64_t keys, int32_t threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const float *w = weights + row * keys;
        float *g = gradient + row * keys, *k = kept + row * keys, sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < keys; i++) {
            k[i] = w[i] > 0.0f ? w[i] : 0.0f;
            sum += k[i] * g[i];
        }
#pragma omp simd
        for (int64_t i = 0; i < keys; i++)
            g[i] = k[i] * g[i] - fabsf(w[i]) * sum;
    }
}

/* One row of logits: its nats, plain and smoothed, and, where wanted, the smoothed one's gradient in place */
static void row_loss(float *x, int64_t vocabulary, int64_t target, float smoothing, float *nats, float *smoothed,
                     int gradient)
{
    float most = -INFINITY, sum = 0.0f, total = 0.0f, wanted = x[target];
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < vocabulary; i++)
        most = x[i] > most ? x[i] : most;
    if (smoothing != 0.0f) {
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < vocabulary; i++)
            total += x[i];
    }
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < vocabulary; i++) {
        float e = power(x[i] - most);
        x[i] = e;
        sum += e;
    }
    float normaliser = most + logf(sum), even = smoothing / (float)vocabulary, share = 1.0f / sum;
    *nats = normaliser - wanted;
    *smoothed = (1.0f - smoothing) * *nats + smoothing * (normaliser - total / (float)vocabulary);
    if (!gradient)
        return;
#pragma omp simd
    for (int64_t i = 0; i < vocabulary; i++)
        x[i] = x[i] * share - even;
    x[target] -= 1.0f - smoothing;
}

/* Rows of float32 logits (`half` 0) or bfloat16 ones (1): see `row_loss` */
void losses(void *logits, int32_t half, const int64_t *targets, int64_t rows, int64_t vocabulary, float smoothing,
            float *nats, float *smoothed, int32_t gradient, int32_t threads)
{
#pragma omp parallel num_threads(threads)
    {
        float *wide = malloc((size_t)vocabulary * sizeof *wide);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row++) {
            float *x = half || !gradient ? wide : (float *)logits + row * vocabulary;
            uint16_t *narrow = (uint16_t *)logits + row * vocabulary;
            if (half) {
                for (int64_t i = 0; i < vocabulary; i++)
                    wide[i] = from_half(narrow[i]);
            } else if (!gradient) {
                memcpy(wide, (float *)logits + row * vocabulary, (size_t)vocabulary * sizeof *wide);
            }
            row_loss(x, vocabulary, targets[row], smoothing, nats + row, smoothed + row, gradient);
            if (half && gradient) {
                for (int64_t i = 0; i < vocabulary; i++)
                    narrow[i] = to_half(wide[i]);
            }
        }
        free(wide);
    }
}
