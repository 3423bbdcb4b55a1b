/* Loops of a training step that torch takes many passes over memory for, each in one pass over its rows.

   Plain C for any compiler that knows OpenMP; setup.py builds it once per instruction set. Every function works row by
   row (or block by block), so that its results do not depend on the number of threads. Masks are those of
   `dropout.py`, bit for bit: the hash of an element's place.

   No -ffast-math: a loss that is not a number has to stay one. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char built_from[] = BUILT_FROM; /* digest of this file, from setup.py: an old build is not used */

#define BLOCK (1 << 17) /* pairs of words that share an arithmetic progression, as in dropout.py */
#define EVERY (1 << 16) /* words that there are */
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

/* The share of a normal distribution below -|x|, to 4e-6 of itself: its density times a polynomial of degree 8 in
   1 / (1 + 0.3 |x|), fitted to erfcx by least maximal relative error. The density at x goes to where it is wanted. */
static inline float tail(float x, float *density)
{
    float far = fabsf(x), e = power(-0.5f * far * far), t = 1.0f / (1.0f + 0.3f * far);
    float p = 3.883316692e-2f;
    p = p * t - 1.712686263e-1f;
    p = p * t + 2.327655433e-1f;
    p = p * t - 8.091536785e-2f;
    p = p * t + 1.453742369e-1f;
    p = p * t + 9.356493693e-2f;
    p = p * t + 1.221830660e-1f;
    p = p * t + 1.194541252e-1f;
    p = p * t + 8.953200451e-6f;
    *density = e * 0.398942280f;
    return e * p;
}

static inline float gelu_of(float x)
{
    float density, q = tail(x, &density);
    return x * (x > 0.0f ? 1.0f - q : q);
}

static inline float gelu_slope(float x)
{
    float density, q = tail(x, &density);
    return (x > 0.0f ? 1.0f - q : q) + x * density;
}

/* out = x times the share of a normal distribution below x (GELU, exact); float32 or bfloat16 */
void gelu(const void *x, void *out, int32_t half, int64_t count, int32_t threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t first = 0; first < count; first += PIECE) {
        int64_t here = count - first < PIECE ? count - first : PIECE;
        const float *plain = (const float *)x + first;
        const uint16_t *narrow = (const uint16_t *)x + first;
        float *plain_out = (float *)out + first;
        uint16_t *narrow_out = (uint16_t *)out + first;
        if (half)
#pragma omp simd
            for (int64_t i = 0; i < here; i++)
                narrow_out[i] = to_half(gelu_of(from_half(narrow[i])));
        else
#pragma omp simd
            for (int64_t i = 0; i < here; i++)
                plain_out[i] = gelu_of(plain[i]);
    }
}

/* dx = dy times GELU's slope at x */
void gelu_backward(const void *x, const void *dy, void *dx, int32_t half, int64_t count, int32_t threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t first = 0; first < count; first += PIECE) {
        int64_t here = count - first < PIECE ? count - first : PIECE;
        const float *plain = (const float *)x + first, *plain_dy = (const float *)dy + first;
        const uint16_t *narrow = (const uint16_t *)x + first, *narrow_dy = (const uint16_t *)dy + first;
        float *plain_dx = (float *)dx + first;
        uint16_t *narrow_dx = (uint16_t *)dx + first;
        if (half)
#pragma omp simd
            for (int64_t i = 0; i < here; i++)
                narrow_dx[i] = to_half(from_half(narrow_dy[i]) * gelu_slope(from_half(narrow[i])));
        else
#pragma omp simd
            for (int64_t i = 0; i < here; i++)
                plain_dx[i] = plain_dy[i] * gelu_slope(plain[i]);
    }
}

/* Attention of one head of one row of the batch, in the processor's cache: T positions, D floats each.

   Products are of small blocks whose sums stay in registers; keys after a query's own are skipped by the block. Nothing
   but each query's maximum and sum is kept for the gradient: weights and masks are computed again from them. */

#ifdef __AVX512F__
#define ROWS 8
#define LANES 16
#elif defined __AVX__
#define ROWS 4
#define LANES 8
#else /* vectors of 16 bytes: SSE2, NEON */
#define ROWS 4
#define LANES 4
#endif
#define COLUMNS (2 * LANES)
typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

/* What all groups of a call share. A group is a head of a row; `queries` and `tile` are attention.py's. */
struct task {
    const int64_t *segments; /* of each position of each row; NULL for one segment a row */
    int64_t rows, length, heads, width;
    int64_t queries, tile; /* positions of a tile of queries, and weights of a tile: they decide where a mask begins */
    int64_t long_stride, wide_stride; /* length and width, rounded up to whole blocks */
    uint64_t seed;
    int32_t half, stay, threads;
    float scale, kept_scale; /* of products of queries and keys, and of weights that stay */
};

/* c (ROWS x COLUMNS) = the sum over l of a[r * row + l * step] * b[l * b_stride + ...], added to c where `add` */
static inline void product(const float *a, int64_t row, int64_t step, const float *b, int64_t b_stride, int64_t count,
                           float *c, int64_t c_stride, int add)
{
    vec sum[ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        sum[r][0] = add ? *(const vec *)(c + r * c_stride) : (vec){0};
        sum[r][1] = add ? *(const vec *)(c + r * c_stride + LANES) : (vec){0};
    }
    for (int64_t l = 0; l < count; l++) {
        vec left = *(const vec *)(b + l * b_stride), right = *(const vec *)(b + l * b_stride + LANES);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            float each = a[r * row + l * step];
            sum[r][0] += each * left;
            sum[r][1] += each * right;
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        *(vec *)(c + r * c_stride) = sum[r][0];
        *(vec *)(c + r * c_stride + LANES) = sum[r][1];
    }
}

/* ROWS rows of a product: all blocks of columns of b up to `wide` */
static void strip(const float *a, int64_t row, int64_t step, const float *b, int64_t b_stride, int64_t count, float *c,
                  int64_t c_stride, int64_t wide, int add)
{
    for (int64_t first = 0; first < wide; first += COLUMNS)
        product(a, row, step, b + first, b_stride, count, c + first, c_stride, add);
}

static inline int64_t whole(int64_t count, int64_t block)
{
    return (count + block - 1) / block * block;
}

/* The place of a group's queries (part 0), keys (1) or values (2) at position 0 in (B, T, 3, H, D) */
static inline int64_t place_of(const struct task *t, int64_t group, int64_t part)
{
    return ((group / t->heads * t->length * 3 + part) * t->heads + group % t->heads) * t->width;
}

/* Copy one of a group's matrices, whose rows lie `stride` apart, times a factor to (T, D) */
static void take(const struct task *t, const void *from, int64_t first, int64_t stride, float factor, float *to)
{
    int64_t width = t->width;
    for (int64_t i = 0; i < t->length; i++, first += stride, to += t->wide_stride) {
        const float *plain = (const float *)from + first;
        const uint16_t *narrow = (const uint16_t *)from + first;
        if (t->half)
            for (int64_t d = 0; d < width; d++)
                to[d] = from_half(narrow[d]) * factor;
        else
            for (int64_t d = 0; d < width; d++)
                to[d] = plain[d] * factor;
    }
}

/* Copy (T, D) to (D, T), a block of lines of the cache at a time */
static void turn(const struct task *t, const float *from, float *to)
{
    int64_t length = t->length, width = t->width, tall = t->long_stride, wide = t->wide_stride;
    for (int64_t first = 0; first < length; first += LANES)
        for (int64_t d = 0; d < width; d++)
            for (int64_t i = first; i < first + LANES; i++) /* rows behind the last are there, and zero */
                to[d * tall + i] = from[i * wide + d];
}

static inline void give(const struct task *t, const float *row, float factor, void *to, int64_t place)
{
    int64_t width = t->width;
    float *plain = (float *)to + place;
    uint16_t *narrow = (uint16_t *)to + place;
    if (t->half)
        for (int64_t d = 0; d < width; d++)
            narrow[d] = to_half(row[d] * factor);
    else
        for (int64_t d = 0; d < width; d++)
            plain[d] = row[d] * factor;
}

/* Turn a query's scores into weights, negative where they are dropped. `open` scores are in whole vectors.

   The maximum and one over the sum are found, or taken from `known`, so that both ways come to the same bits. */
static void weigh(const struct task *t, float *w, int64_t group, int64_t query, float *most_share, int known,
                  uint32_t *pairs)
{
    int64_t visible = query + 1, open = whole(visible, LANES);
    for (int64_t i = visible; i < open; i++)
        w[i] = -INFINITY;
    if (t->segments) {
        const int64_t *own = t->segments + group / t->heads * t->length;
        for (int64_t i = 0; i < visible; i++)
            w[i] = own[i] == own[query] ? w[i] : -INFINITY;
    }
    float most = known ? most_share[0] : -INFINITY, sum = 0.0f;
    if (!known) {
#pragma omp simd reduction(max : most)
        for (int64_t i = 0; i < open; i++)
            most = w[i] > most ? w[i] : most;
    }
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < open; i++) {
        float e = power((w[i] - most) * t->scale);
        e = w[i] == -INFINITY ? 0.0f : e;
        w[i] = e;
        sum += e;
    }
    float share = known ? most_share[1] : 1.0f / sum;
    most_share[0] = most, most_share[1] = share;
    if (t->stay == EVERY) {
        for (int64_t i = 0; i < open; i++)
            w[i] *= share;
        return;
    }
    int64_t first = query / t->queries * t->queries, keys = first + t->queries; /* the tile that the query is in */
    keys = keys < t->length ? keys : t->length;
    int64_t tile_rows = keys - first, groups = t->rows * t->heads, number = 0;
    for (int64_t before = 0; before < first; before += t->queries) {
        int64_t size = t->tile / (t->queries * (before + t->queries));
        size = size > 1 ? size : 1;
        number += (groups + size - 1) / size;
    }
    int64_t size = t->tile / (tile_rows * keys);
    size = size > 1 ? size : 1;
    int64_t row = group % size * tile_rows + query - first;
    const uint16_t *word = words(mix(t->seed, (uint64_t)(number + group / size)), row * keys, open, pairs);
    int32_t stay = t->stay;
#pragma omp simd
    for (int64_t i = 0; i < open; i++) {
        float weight = w[i] * share;
        w[i] = (int32_t)(word[i] ^ 0x8000) < stay ? weight : -weight;
    }
}

static float *room(int64_t floats)
{
    size_t bytes = (size_t)whole(floats, 64) * sizeof(float);
    float *found = aligned_alloc(64, bytes);
    if (found)
        memset(found, 0, bytes);
    return found;
}

/* out (B, T, H, D) and most_share (B x H, T, 2) from qkv (B, T, 3, H, D); both float32 or both bfloat16 (`half`).

   Returns 0, or 1 where there was no memory. */
int32_t attend(const struct task *t, const void *qkv, void *out, float *most_share)
{
    int64_t tall = t->long_stride, wide = t->wide_stride;
    int32_t failed = 0;
#pragma omp parallel num_threads(t->threads)
    {
        float *all = room(3 * tall * wide + ROWS * (tall + wide) + tall);
        if (!all) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp barrier
        float *q = all, *keys = q + tall * wide, *v = keys + tall * wide, *w = v + tall * wide;
        float *y = w + ROWS * tall;
        uint32_t *pairs = (uint32_t *)(y + ROWS * wide);
#pragma omp for schedule(static)
        for (int64_t group = 0; group < t->rows * t->heads; group++) {
            if (failed)
                continue;
            int64_t stride = 3 * t->heads * t->width;
            take(t, qkv, place_of(t, group, 0), stride, 1.0f, q);
            take(t, qkv, place_of(t, group, 1), stride, 1.0f, v);
            turn(t, v, keys);
            take(t, qkv, place_of(t, group, 2), stride, 1.0f, v);
            for (int64_t first = 0; first < t->length; first += ROWS) {
                int64_t last = first + ROWS < t->length ? first + ROWS : t->length;
                strip(q + first * wide, wide, 1, keys, tall, t->width, w, tall, last, 0);
                for (int64_t query = first; query < last; query++) {
                    float *row = w + (query - first) * tall;
                    weigh(t, row, group, query, most_share + 2 * (group * t->length + query), 0, pairs);
                    for (int64_t i = 0; i < whole(query + 1, LANES); i++)
                        row[i] = row[i] > 0.0f ? row[i] : row[i] != row[i] ? row[i] : 0.0f;
                    for (int64_t i = query + 1; i < last; i++)
                        row[i] = 0.0f;
                }
                strip(w, tall, 1, v, wide, last, y, wide, wide, 0);
                for (int64_t query = first; query < last; query++) {
                    int64_t place = (group / t->heads * t->length + query) * t->heads + group % t->heads;
                    give(t, y + (query - first) * wide, t->kept_scale, out, place * t->width);
                }
            }
        }
        free(all);
    }
    return failed;
}

/* The gradient (B, T, 3, H, D) from that of `attend`'s output, from what it was given and from what it kept */
int32_t attend_backward(const struct task *t, const void *qkv, const void *dout, float *most_share, void *gradient)
{
    int64_t tall = t->long_stride, wide = t->wide_stride, tile = whole(t->queries, ROWS);
    int32_t failed = 0;
#pragma omp parallel num_threads(t->threads)
    {
        float *all = room(8 * tall * wide + 2 * tile * tall + ROWS * wide + tall);
        if (!all) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp barrier
        float *q = all, *k = q + tall * wide, *keys = k + tall * wide, *values = keys + tall * wide;
        float *dy = values + tall * wide, *dk = dy + tall * wide, *dv = dk + tall * wide;
        float *kept = dv + tall * wide, *scores = kept + tile * tall, *dq = scores + tile * tall;
        uint32_t *pairs = (uint32_t *)(dq + ROWS * wide);
#pragma omp for schedule(static)
        for (int64_t group = 0; group < t->rows * t->heads; group++) {
            if (failed)
                continue;
            int64_t stride = 3 * t->heads * t->width;
            int64_t here = (group / t->heads * t->length * t->heads + group % t->heads) * t->width;
            take(t, qkv, place_of(t, group, 2), stride, 1.0f, k);
            turn(t, k, values);
            take(t, qkv, place_of(t, group, 1), stride, 1.0f, k);
            turn(t, k, keys);
            take(t, qkv, place_of(t, group, 0), stride, 1.0f, q);
            take(t, dout, here, t->heads * t->width, t->kept_scale, dy);
            memset(dk, 0, (size_t)(2 * tall * wide) * sizeof *dk); /* and dv, which lies behind it */
            for (int64_t first = 0; first < t->length; first += t->queries) {
                int64_t last = first + t->queries < t->length ? first + t->queries : t->length;
                for (int64_t block = first; block < last; block += ROWS) {
                    int64_t end = block + ROWS < last ? block + ROWS : last;
                    float *w = kept + (block - first) * tall, *g = scores + (block - first) * tall;
                    strip(q + block * wide, wide, 1, keys, tall, t->width, w, tall, end, 0);
                    strip(dy + block * wide, wide, 1, values, tall, t->width, g, tall, end, 0);
                    for (int64_t query = block; query < end; query++, w += tall, g += tall) {
                        int64_t open = whole(query + 1, LANES);
                        float sum = 0.0f;
                        weigh(t, w, group, query, most_share + 2 * (group * t->length + query), 1, pairs);
#pragma omp simd reduction(+ : sum)
                        for (int64_t i = 0; i < open; i++)
                            sum += (w[i] > 0.0f ? w[i] : 0.0f) * g[i];
#pragma omp simd
                        for (int64_t i = 0; i < open; i++) {
                            float stays = w[i] > 0.0f ? w[i] : 0.0f;
                            g[i] = stays * g[i] - fabsf(w[i]) * sum;
                            w[i] = stays;
                        }
                        for (int64_t i = query + 1; i < whole(last, ROWS); i++)
                            w[i] = g[i] = 0.0f;
                    }
                    strip(scores + (block - first) * tall, tall, 1, k, wide, end, dq, wide, wide, 0);
                    for (int64_t query = block; query < end; query++)
                        give(t, dq + (query - block) * wide, t->scale, gradient, place_of(t, group, 0) + query * stride);
                }
                for (int64_t key = 0; key < last; key += ROWS) {
                    int64_t from = key > first ? key - first : 0; /* queries before a key do not see it */
                    const float *left = dy + (first + from) * wide, *right = q + (first + from) * wide;
                    strip(kept + from * tall + key, 1, tall, left, wide, last - first - from, dv + key * wide, wide, wide, 1);
                    strip(scores + from * tall + key, 1, tall, right, wide, last - first - from, dk + key * wide, wide, wide, 1);
                }
            }
            for (int64_t i = 0; i < t->length; i++) {
                give(t, dk + i * wide, t->scale, gradient, place_of(t, group, 1) + i * stride);
                give(t, dv + i * wide, 1.0f, gradient, place_of(t, group, 2) + i * stride);
            }
        }
        free(all);
    }
    return failed;
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

/* Rows of float32 logits (`half` 0) or bfloat16 ones (1): see `row_loss`. Returns 0, or 1 where there was no memory. */
int32_t losses(void *logits, int32_t half, const int64_t *targets, int64_t rows, int64_t vocabulary, float smoothing,
               float *nats, float *smoothed, int32_t gradient, int32_t threads)
{
    int32_t failed = 0;
#pragma omp parallel num_threads(threads)
    {
        float *wide = malloc((size_t)vocabulary * sizeof *wide);
        if (!wide) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp barrier
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row++) {
            if (failed)
                continue;
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
    return failed;
}
