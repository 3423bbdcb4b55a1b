# ruff: noqa: RUF001  (the words of other languages are in their letters)
"""What the name of a logged value says: whose loss it is, of which kind and part, and what it is a mean of.

This is the one rule for sides and names; text, tables, records and event files all go by it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

VAL = frozenset({
    "val", "vali", "valid", "validation", "validating", "validate", "validated", "dev", "devset", "heldout", "holdout",
    "tel", "cv", "va", "vl", "vld", "crossval", "crossvalidation", "xval",
    "validataion", "validaton", "valiation", "vaildation", "validtion", "validaion", "vaild", "valdiation",
})  # fmt: skip
EVAL = frozenset({"eval", "evaluation", "evaluating", "evaluate", "evaluated"})
TEST = frozenset({"test", "testing", "tst"})
TRAIN = frozenset({
    "train", "training", "trained", "trn", "tr", "trl", "learn", "traning", "trainig", "trainning", "traing",
})  # fmt: skip
SIDES = VAL | EVAL | TEST | TRAIN
PLAIN_LOSS = frozenset({"loss", "losses", "cost", "objective", "trl", "tel"})
KIND_OF_LOSS = {
    "nll": "nll", "ce": "ce", "xent": "ce", "crossentropy": "ce", "xentropy": "ce", "logloss": "logloss",
    "mlogloss": "logloss", "bce": "bce", "celoss": "ce", "bpc": "bpc", "bpd": "bpd",
}  # fmt: skip
NO_LOSS = frozenset(("gloss", "floss", "stoploss", "weightloss"))
BITS = frozenset(("bpb",))
LIKELIHOOD = frozenset(("ll", "objf", "elbo", "loglik", "loglike", "loglikelihood", "logprob"))  # the higher the better
LIKELIHOODS = frozenset((("log", "likelihood"), ("log", "prob"), ("log", "probability"), ("log", "lik")))
PERPLEXITY = frozenset(("ppl", "perplexity", "pplx"))
ERROR = frozenset(("rmse", "mse", "mae", "l1", "l2", "rmsle", "metric", "deviance"))
SIDED_ERROR = frozenset(("error", "err"))  # a measure only where its name says whose it is: logs speak of other errors
SPANS = {
    "epoch": "epoch", "step": "step", "batch": "batch", "minibatch": "batch", "mean": "mean", "avg": "mean",
    "average": "mean", "averaged": "mean", "avr": "mean", "smooth": "smooth", "smoothed": "smooth", "ema": "smooth",
    "running": "running", "final": "mean", "iter": "step", "iteration": "step", "meter": "mean", "history": "mean",
}  # fmt: skip
NEUTRAL = frozenset({
    "mini", "total", "tot", "overall", "sum", "lm", "model", "mlm", "current", "curr", "cur", "on", "per", "the", "set",
    "data", "dataset", "nats", "token", "tokens", "value", "word", "words", "reduced", "for", "of", "at", "in", "after",
    "split", "metrics", "scalars", "scalar", "logs", "log", "results", "result", "s", "is", "was", "by", "over", "its",
    "a", "an", "and", "out", "held", "hold", "trainer", "stats", "performance", "info", "debug", "main",
    "root",
    "epochs", "end", "phase", "mode", "negative", "likelihood", "cross", "entropy", "running", "train", "run", "this",
    "one", "pe", "dataloader", "idx", "whole", "de", "du", "di", "des", "der", "metric", "full", "all", "last",
    "subset", "samples",
    "examples", "score", "report", "summary", "tag", "function", "finished", "completed", "complete", "done", "costs",
})  # fmt: skip
FOREIGN = frozenset({
    "scale", "scaler", "best", "min", "max", "lowest", "minimum", "delta", "diff", "difference", "gap", "improved",
    "improvement", "improve", "previous", "prev", "before", "target", "patience", "from", "std", "var", "stderr",
    "accuracy",
    "acc", "ratio", "weight", "weights", "coef", "coeff", "num", "n", "count", "grad", "norm", "time", "seconds",
    "runtime", "steps", "saved", "saving", "save", "saves", "checkpoint", "ckpt", "early", "stopping", "stopped",
    "threshold", "tolerance", "lambda", "alpha", "beta", "gamma", "fn", "func", "function", "type", "name", "every",
    "interval", "freq", "frequency", "window", "index", "id", "rank", "change", "changed", "decrease", "decreased",
    "increase", "increased", "than", "since", "to", "with", "because", "reached", "new", "lr", "rate", "spike",
    "percent", "took", "elapsed", "hours", "minutes", "eta", "memory", "number", "did", "not", "if", "when", "until",
    "reduction", "multiplier", "factor", "power", "smoothing", "expected", "uniform", "initial", "computed",
})  # fmt: skip
COUNTERS = {
    "epoch": "epoch", "ep": "epoch", "e": "epoch", "epochs": "epoch", "epc": "epoch",
    "step": "step", "steps": "step",
    "iter": "iteration", "iters": "iteration", "iteration": "iteration", "iterations": "iteration", "it": "iteration",
    "itr": "iteration", "itrs": "iteration", "trees": "iteration", "round": "iteration", "rounds": "iteration",
    "update": "update", "updates": "update", "up": "update",
    "batch": "batch", "batches": "batch", "minibatch": "batch", "minibatches": "batch", "mb": "batch",
}  # fmt: skip
BESIDE_COUNTER = frozenset({
    "global", "current", "cur", "curr", "num", "trainer", "optimizer", "opt", "the", "at", "of", "end", "after", "in",
    "for", "number", "start", "starting", "results", "result", "on", "summary", "finished", "done", "completed",
    "running", "this",
    "epoch", "step", "begin", "beginning", "info", "during",
})  # fmt: skip
UNSAID = "of unsaid meaning"  # behind the side of values whose name is that of their side alone, as "train 1.2"
SHORT_NAMES = frozenset(("l", "j"))  # of a loss, as in "L_train"
MOST = 200  # characters of a name that are looked at
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GLUED = re.compile(  # "trainloss" and "lossval"
    r"(?<![a-z])(?:(t(?=loss)|v(?=loss)|train|training|tr|val|valid|validation|dev|test|eval)(loss|losses|ppl|rmse|mse|mae|nll)"
    r"|(loss|ppl|rmse|mse|mae|nll)(train|tr|val|valid|dev|test|eval))(?![a-z])"
)
_WORDS = re.compile(r"[a-z]+(?:(?<=l)[12](?![0-9a-z]))?|\d+")
FOREIGN_LETTERS = re.compile(
    "[\u00c0-\u024f\u0370-\u04ff\u0590-\u06ff\u0900-\u097f\u1e00-\u1eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


def _compounds(sides: str) -> str:
    """Return a pattern of words as "Trainingsverlust", of a side and a loss."""
    return "|".join(f"{side}[a-z]{{0,2}}{loss}" for side in sides.split() for loss in ENDS_OF_LOSS)


ENDS_OF_LOSS = ("verlust", "fehler", "forlust", "tab", "tap", "verlies", "havio")
# words of other languages that logs are written in, as the English word that they stand for
LANGUAGES = {
    "best": (
        "最良|最佳|最优|最優|最好|最高|最低|最小|최고|최저|최적|лучш[а-яё]*|mejor|meilleure?s?|beste[rsnm]?|melhor|migliore|"
        "en\\s(?:iyi|dusuk)|najlepsz[a-z]*|nejlepsi"
    ),
    "train loss": _compounds("training traning trening træning koulutus"),
    "val error": "selection\\serror",  # OpenNN's
    "val loss": _compounds("validierung validation validering validatie validointi"),
    "loss": (
        "损失函数|损失值|损失|損失関数|損失|ロス|손실|로스|потер[а-яё]*|лосс[а-яё]*|perdida|perdua|gubit[a-z]*|havio|perte|perda|perdita|verlust|"
        "απώλειας?|(?:ال)?خسارة|הפסד|हानि|kayip|verlies|kerugian|pierdere[a]?|veszteseg|kayb[ıi]|strat[ay]|ztrat[ay]|втрат[а-яіїє]*|загуб[а-я]*|mat\\smat|forlust"
    ),
    "val": (
        "验证集|验证|驗證|検証|バリデーション|검증|валидац[а-яё]*|валидацион[а-яё]*|проверк[а-яё]*|проверочн[а-яё]*|"
        "επικύρωσης?|(?:ال)?تحقق|ולידציה|सत्यापन|valida[cz][a-z]*|validierung|validoin[a-z]*|dogrulama|walidac[a-z]*|validatie|валідац[а-яіїє]*|"
        "валидаци[а-яё]*|kiem\\s[dđ]inh|xac\\sthuc|validering[a-z]*|validasi|validare"
    ),
    "train": (
        "训练集|训练|訓練|学習|トレーニング|훈련|학습|обучен[а-яё]*|обучающ[а-яё]*|тренировк[а-яё]*|тренировочн[а-яё]*|"
        "εκπαίδευσης?|(?:ال)?تدريب|אימון|प्रशिक्षण|трейн[а-яё]*|навчан[а-яіїє]*|entrenam[a-z]*|entrainement|apprentissage|treinamento|treino|addestramento|egitim|"
        "trening[a-z]*|trenovaci|huan\\sluyen|traning[a-z]*|pelatihan|antrenare|tanitasi|koulutus|ucenj[aeu]|uceni"
    ),
    "test": "测试集|测试|測試|テスト|테스트|тестов[а-яё]*|тест|prueba",
    "eval": "评估|評估|評価|평가|оценк[а-яё]*",
    "epoch": (
        "(?:[個个]\\s?)?(?:轮次|轮|輪次|輪|周期|週期)|エポック|에포크|에폭|эпох[а-яё]*|епох[а-яіїє]*|epoca|epoque|epoche|epok[ae]?|"
        "epocha|devir|epookki|epoh[ae]|epoki|vong(?:\\slap)?|εποχή|الحقبة|حقبة|עידן|युग"
    ),
    "step": "步数|步|ステップ|스텝|шаг[а-яё]*|paso|passo|pas|etape|schritt|adim",
    "iteration": "迭代次数|迭代|反復|イテレーション|반복|итерац[а-яё]*|iteracion|iteracao|iterazione",
    "mean": "平均|평균|средн[а-яё]*|promedio|medi[ue]|moyenne|durchschnitt",
    "error": "误差|誤差|ошибк[а-яё]*",
    "perplexity": "困惑度|パープレキシティ|перплекси[а-яё]*",
    "accuracy": "准确率|準確率|正解率|精度|정확도|точност[а-яё]*",
}  # fmt: skip


def _pattern(spoken: str) -> re.Pattern[str]:
    """Return a pattern of words; those in Latin letters have to stand alone."""
    parts = spoken.split("|")
    latin = "|".join(part for part in parts if part.isascii())
    others = "|".join(part for part in parts if not part.isascii())
    alone = f"(?<![A-Za-z])(?:{latin})(?![A-Za-z])" if latin else ""
    return re.compile("|".join(part for part in (others, alone) if part), re.IGNORECASE)


_TRANSLATIONS = [(_pattern(spoken), word) for word, spoken in LANGUAGES.items()]
_ELIDED = re.compile(r"(?<![A-Za-z])d['\u2019]\s")
_LATIN = re.compile(
    "|".join(part for spoken in LANGUAGES.values() for part in spoken.split("|") if part.isascii()), re.IGNORECASE
)


@dataclass(frozen=True)
class Meaning:
    """What a name says.

    Attributes:
        side: "train", "val", "test", or "" where it names none.
        kind: "loss" (nats or whatever the loop's unit is), "bits" (bits per byte), "perplexity", "likelihood" (its
            logarithm: higher is better), "error" (another measure of error, as rmse), "unsaid" (named by its side
            alone), or "" for none of them.
        span: what the value is a mean of: "batch", "step", "epoch", "mean", "smooth", "running" (a sum or a mean
            so far), or "" where it does not say.
        stem: what else qualifies it ("dice" of "val dice loss"): losses are compared with their like.
    """

    side: str
    kind: str
    span: str
    stem: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        """Whether the value is of data that is not trained on."""
        return self.side in ("val", "test")

    def names_loss_of(self, other: Meaning) -> bool:
        """Say whether two names are of one loss of one side, whatever each is a mean of."""
        return (self.side, self.kind, self.stem) == (other.side, other.kind, other.stem)


def translated(text: str) -> str:
    """Return a text with the words for losses, sides and positions of other languages in English."""
    if FOREIGN_LETTERS.search(text):
        text = "".join(_plain_letter(letter) for letter in text)
    elif not _LATIN.search(text):
        return text
    for spoken, word in _TRANSLATIONS:
        text = spoken.sub(f" {word} ", text)
    return _ELIDED.sub(" ", text)


def _plain_letter(letter: str) -> str:
    """Return a Latin letter without its accents, and any other as it is: of Japanese they are a part."""
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part)) if parts[0] < "\u0250" else letter


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: "valLoss_epoch" gives val, loss, epoch."""
    text = _CAMEL.sub(" ", translated(name[-MOST:])).lower()
    return tuple(_WORDS.findall(_GLUED.sub(r"\1\3 \2\4", text)))


def side_of(name_words: tuple[str, ...]) -> str:
    """Return the side that words name: validation outweighs the others; of training and evaluation, the last named."""
    side = "val" if "out" in name_words and {"held", "hold"} & set(name_words) else ""
    for word in name_words:
        if word in VAL:
            return "val"
        if word in TRAIN:
            side = "train"
        elif word in EVAL:
            side = "val"
        elif word in TEST:
            side = "test"
    return side


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """Return what a name says; of a W&B export's "run - train/loss" the part after the run's name counts."""
    name_words = words(name.rpartition(" - ")[2])
    if name.endswith(UNSAID):
        return Meaning(side_of(name_words[:-3]), "unsaid", "")
    word_set = set(name_words)
    span = next((SPANS[word] for word in name_words if word in SPANS), "")
    side = side_of(name_words)
    if word_set & (FOREIGN - {"function"} if "objective" in word_set else FOREIGN):
        return Meaning(side, "", span)
    kind = _likelihood(name_words, word_set) or _kind(word_set) or (_sided_kind(word_set) if side else "")
    return Meaning(side, kind, span, _stem(name_words, word_set) if kind else ())


def _kind(word_set: set[str]) -> str:
    if word_set & BITS:
        return "bits"
    if word_set & PERPLEXITY:
        return "perplexity"
    entropy = {"cross", "entropy"} <= word_set or {"log", "likelihood", "negative"} <= word_set
    if word_set & PLAIN_LOSS or word_set & KIND_OF_LOSS.keys() or entropy or any(map(_ends_in_loss, word_set)):
        return "loss"
    return "error" if word_set & ERROR else ""


def _sided_kind(word_set: set[str]) -> str:
    """Return the kind of a name that is a measure only where it says whose it is."""
    return "loss" if "costs" in word_set else "error" if word_set & SIDED_ERROR else ""


def _ends_in_loss(word: str) -> bool:
    """Say whether a word is the name of a loss written as one, as "closs" and "mseloss"."""
    return word.endswith("loss") and word not in NO_LOSS


def _likelihood(name_words: tuple[str, ...], word_set: set[str]) -> str:
    if word_set & (PLAIN_LOSS | {"negative", "nll"}):
        return ""
    return "likelihood" if word_set & LIKELIHOOD or LIKELIHOODS & set(itertools.pairwise(name_words)) else ""


def _stem(name_words: tuple[str, ...], word_set: set[str]) -> tuple[str, ...]:
    out: list[str] = ["ce"] if {"cross", "entropy"} <= word_set else []
    out += ["nll"] if {"negative", "likelihood"} <= word_set else []
    before = ""
    if any(pair == ("value", loss) for pair in itertools.pairwise(name_words) for loss in PLAIN_LOSS):
        out.append("values")  # of states, as reinforcement learning has it beside the policy's
    for word in name_words:
        if word in KIND_OF_LOSS:
            out.append(KIND_OF_LOSS[word])
        elif not (
            word in SIDES or word in PLAIN_LOSS or word in SPANS or word in NEUTRAL or word in BITS
            or word in PERPLEXITY or (word.isdigit() and before in SIDES)
        ):  # fmt: skip
            out.append(word)
        before = word
    return tuple(dict.fromkeys(out))


def loss_types_only(stem: tuple[str, ...]) -> bool:
    """Say whether all that qualifies a name is which loss it is, as "nll" does."""
    return set(stem) <= set(KIND_OF_LOSS.values())


def side_alone(name: str) -> str:
    """Return the side of a name that says nothing else ("val", "L_train"), "" for any other."""
    name_words = words(name)
    if (
        not name_words
        or len(name_words) > 2
        or not set(name_words) <= SIDES | SHORT_NAMES
        or not set(name_words) & SIDES
    ):
        return ""
    return side_of(name_words)


@lru_cache(maxsize=4096)
def counter(name: str) -> str:
    """Return what a name counts ("epoch", "step", "iteration", "update", "batch"), "" where it is no position."""
    counting = [word for word in words(name) if word not in SIDES and word not in BESIDE_COUNTER]
    ends = words(name)
    if not ends or len(counting) > 1 or (counting and counting[0] not in COUNTERS):
        return ""
    last = next((word for word in reversed(ends) if word in COUNTERS), "")
    return COUNTERS.get(last, "")


def is_seconds(name: str) -> bool:
    """Say whether a column holds seconds since some start."""
    return name.strip().lower() in {"_runtime", "elapsed", "seconds", "wall time", "wall_time", "_timestamp"}
