"""The words and signs around the numbers of a line: patterns, and sets of words with one meaning."""

from __future__ import annotations

import re

MOST_NUMBERS = 64  # of a line
MOST_KEY = 120  # characters before a number that may name it
MOST_NAME = 6  # words of a loss's name
MOST_PARTS = 12  # of one without blanks, as "eval/c4-validation/CrossEntropyLoss"
NUMBER = re.compile(  # the first part is but for speed: most characters begin no number
    r"(?=[-+.0-9iInN])(?<![A-Za-z0-9_.])([-+]?(?:[0-9]+(?:,[0-9]{3}){1,6}(?:\.[0-9]+)?(?![0-9]|,[0-9])"
    r"|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
    r"|(?:[iI]nf(?:inity)?|INF|[nN][aA][nN])(?![A-Za-z0-9_])))"
)
MISSING = re.compile(r"[:=|]\s{0,3}(?:n/a|none|null|no log|--?)(?=$|[\s,|;)}\]])", re.IGNORECASE)
UNIT = re.compile(
    r"[A-Za-z%\u00b5]{1,12}(?:/[A-Za-z]{1,9})?|\s?[A-Za-z]{1,12}/(?:s|sec|second|min|step|batch|it|epoch)\b"
)
NAMES_NEXT = re.compile(r"\s[A-Za-z]{1,12}/[A-Za-z]{1,9}\s?[:=]")  # " Words/sec: 12" is no unit
OF_NUMBER_BEFORE = re.compile(  # the word of "600 iters (16 layers)" and of "3 epochs on 110 pairs"
    r"\s[a-z]{4,12}s(?:\s?\(\s?|\s(?:on|over|of|with|in|for|per|using|from)\s.{0,24})"
)
ORDINAL = re.compile(r"\s?(?:st|nd|rd|th)?[\s-]?epoch(?![a-z])", re.IGNORECASE)
PARTS = re.compile(
    r"[|;,{}\t&\u060c\u061b\u3001\uff0c\uff1b]|(?<=[^\W\d_]{3})(?<!rain|alid|test|Test|iter|Iter)(?<!avg|Avg|val|Val|trn|Trn|tst|Tst|acc|Acc|min|max|std|tot|Tot|est|exp|num|cls|reg)\.\s+(?=[A-Z])|\]\s|\s[-\u2013\u2014]\s|\s{3,}(?![\s(])|[\u2500-\u259f]|\.\.\."
    r"|\s(?:vs\.?|versus|against)\s(?:an?\s|the\s)?"
)
PLACEHOLDER = re.compile(r"(?:n/a|none|null|no log)\b", re.IGNORECASE)
ARROW = re.compile(r"[-=]{1,2}>\s*$")
TAIL = re.compile(r"[\s:='`\"(\[{<>~@#*+/!-]*$")
OPERATOR = re.compile(r"(?:[<>*+/!]|[-+*/!=<>]=)\s*['\"(]?$")
AFTER_OPERATOR = re.compile(r"\s?\*|\s[+/<>]\s|\s?[*^]|\s-\s[a-z_]+\b(?!\s?[:=])(?=$)")
BRACKETED = re.compile(r"<\w{1,40}>=\s*$")  # "<loss>=0.5" is a name in brackets, and no comparison
COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d{4,}")  # of words that a mean is over, as in "Cost 5.2 * 1,234,567"
COPULA = re.compile(
    r"['\")\]]?\s{1,3}(?:(?:is|was|are|were)(?:\s(?:now|only|just|still|stuck))?(?:\s(?:at|around|about))?|reached|equals|equal\sto|being|reads|averaged"
    r"|averages|stands?\sat|stood\sat|(?:(?:has|had|have)\s)?(?:stay(?:s|ed)?|remain(?:s|ed)?|hovers?|plateau(?:s|ed)?|settle[sd]?|stuck|sits)"
    r"\s(?:at|around|about|near)|(?:(?:has|had|have)\s)?(?:came|comes|come|falls?|fell|fallen|drops|dropped|went|decreased|decreases|sank|rises|rose"
    r"|risen|climbed|climbs|grew|grown|increased|increases|amounts|amounted)\s(?:down\s|up\s)?to|as\s(?:low|high)\sas)\s*$",
    re.IGNORECASE,
)
COUNTS_ON = re.compile(r"\s?(?:epoch|step|iter|batch|update)")  # behind a number that counts
NEAR = re.compile(r"\s(?:at|to|around|about|near|roughly|approximately)\s*$", re.IGNORECASE)  # before a decimal
OF = re.compile(r"\sof\s*$", re.IGNORECASE)  # "a training loss of 2.5", not "the loss of 3 sheep"
ARTICLE = re.compile(r"\b(?:a|an|the|our|its|your|my|with|and|while|whereas|but)\s+", re.IGNORECASE)  # may begin a name
ADJECTIVE = re.compile(r"^(?:an?\s|the\s)?(?:high|low|small|large)(?:er)?\s", re.IGNORECASE)  # behind an article
BEFORE_NAME = frozenset(
    ("reached", "with", "did", "took", "new", "computed", "accuracy", "acc", "to", "number")
)  # in a sentence, before a loss's name
REMARK = re.compile(  # "val loss (prev val iter)" and "val loss [from last eval]": when it was taken
    r"\s?[(\[](?:prev|previous|last|from|since|as|computed|measured)\b"
    r"(?:[\s.]{1,2}(?:prev|previous|last|of|at|the|val|eval|validation|iter|iteration|step|epoch)\b){0,5}\.?[)\]]$"
    r"|\s?\((?:avg|mean|average)/[\w/]{1,60}\)$",  # Nematus' "loss (AVG/SUM/N_SENTS): 2.1 2100.5 1000"
    re.IGNORECASE,
)
OF_OUTPUT = re.compile(
    r"(?P<name>.{0,100}?)\sfor\s'(?P<output>[\w.-]{1,40})'?(?=\s|$)"
)  # Kaldi's "log-likelihood for 'output' is"
OF_MEAN = re.compile(
    r"\s?[(\[](?:(?:running|moving|rolling|epoch|batch|the)\s)?(?:avg|average|mean|smoothed|ema)[)\]]$", re.IGNORECASE
)
RANGE = re.compile(r"-|\s?[\u2013\u2014~\uff5e]\s?")  # between two numbers
BOUND = re.compile(r"\+(?=[\s,;.)\]]|$)")  # "10+" and more
PERCENT = re.compile(r"\s?%")
OUTPUT = re.compile(r"(?<!\S)([a-z]{2,12}):[a-z][\w/-]{1,24}$")  # "cost:output 19.2", as RETURNN prints it
ENDS_NAME = re.compile(r"[\s,;|)\]]")  # no part of a file's name
OF_MODEL = re.compile(  # what ends the name of a file with weights
    r"[^\s,;|)\]]{0,40}\.(?:pth|pt|ckpt|h5|hdf5|keras|t7|params|pkl|pickle|bin|tar|safetensors|npz|weights|caffemodel)\b"
)
OVER = re.compile(r"\s{0,4}(?:/|\bof\b|out of)\s{0,6}")
INDEXED = re.compile(r"\]\s?[:=]\s?$")
GOES_ON = re.compile(r":?\s{1,4}")
BETWEEN = re.compile(r"\s{0,3}(?:[/|,;]|\band\b)?\s{0,3}")
OF_VALIDATION = re.compile(r"\w\((?:val|test)\)\s?$")
NEXT_RATIO = re.compile(r"\s?\]\s?\[\s{0,4}")
COUNTED = re.compile(
    r"\s{0,3}(?:mini-?)?(validation|val|eval|training|train)?\s?(?:mini-?)?(batches|samples|tokens)\b", re.IGNORECASE
)
NO_SIDE = re.compile(  # a check
    r"\b(?:batch|unit|smoke|sanity|overfit\w{0,6}|speed|stress|gradient|forward|overfitting)\s{1,3}tests?\b",
    re.IGNORECASE,
)
ALONE = re.compile(r"[\w/.\-']+")
OF_WHOLE_RUN = re.compile(  # what Hugging Face's Trainer ends with: its last record, and the table that is made of it
    r"\btrain_(?:runtime|samples_per_second)\b|^\s{2}train_loss\s{8,40}=\s{1,40}#"
)
ENUMERATED = re.compile(r"^(?:stage|phase|mode|split)\.")  # "Stage.EVAL"
RATE = re.compile(r"(?:\b(?:words?|tok(?:en)?s?|samples?|sec(?:ond)?s?|s|ms|time|im(?:ag)?e?s?|examples?|seqs?)\s?/\s?"
                  r"|\bper\b.{0,12}|_per_\w{0,12})[A-Za-z]{0,12}\W{0,6}$", re.IGNORECASE)  # fmt: skip
NAME_BEHIND = re.compile(  # "2.31 train loss," whose name stands behind it
    r"\s{1,3}((?:[A-Za-z]+[\s_-])?(?:loss|cross[\s_-]?entropy|nll))\s{0,3}(?=[,;|)]|\s(?:and|but|vs)\s|$)",
    re.IGNORECASE,
)
SIDE_BEHIND = re.compile(
    r"\s?[(\[]\s?(train|training|trn|val|valid|validation|dev|eval|test)\s?[)\]]"
    r"|\s(?:on|for|over)\s(?:the\s|my\s)?(train|training|val|validation|dev|test|held-out)\s(?:set|data|split|dataset)\b",
    re.IGNORECASE,
)
NEXT_VALUE = re.compile(
    r"[\s|,;/.]*(?:and|but|vs\.?|versus|while)?[\s,]*", re.IGNORECASE
)  # between values whose names stand behind
SIDES_BEHIND = re.compile(r"\s?[(\[]\s?[a-z]{2,10}(?:\s?[/,|]\s?[a-z]{2,10}){1,2}\s?[)\]]", re.IGNORECASE)
NAMES_BEHIND = re.compile(r"\s?[(\[]\s?([a-z][a-z\s_.-]{2,30}(?:[/,|][a-z\s_.-]{3,30}){1,2})[)\]]", re.IGNORECASE)
BECOMES = re.compile(r"\s{0,3}(?:\u2192|-{1,2}>|=>)\s{0,3}")  # from the value before to the one that is told
CHANGES = re.compile(
    r"\s(?:(?:has|have|had|only|then|also|steadily|slowly|further|still|just)\s){0,2}(?:(?:de|in)creas(?:ed|es)|improve[sd]|fell|falls"
    r"|fallen|drop(?:s|ped)|ros?e|ris(?:es|en)|went|goes|gone|came|moved|stayed|shrank|grew|climbed|declined|plateau)"
    r"(?:\s(?:down|up|only|steadily|slowly|sharply|flat|gradually))?(\sfrom)?:?$",
    re.IGNORECASE,
)
SAVES = re.compile(r"\bsav(?:ed?|ing)\b|checkpoint|\bbest\b", re.IGNORECASE)  # beside the best value so far
BOLD = re.compile(r"[:=]\s?\*{1,2}\s*$|\*\*[^*]{1,60}\*\*\s*$")  # Markdown's, and no product
TO = re.compile(r"\s{0,3}(?:\u2192|-{1,2}>|=>)\s{0,3}|\s(?:down\s|up\s)?to\s{1,3}(?:about\s)?")  # behind "from"
NATS = re.compile(r"\s?nats?\b")
WINDOW = re.compile(  # before how many values a mean is over, as in "loss (avg of last 50): 2.4"
    r"(?:[\s(\[,-]{1,3}(?:averaged|average|avg|mean|running|rolling|smoothed|ema|ma|over|of|the|last|past|previous|prev|recent"
    r"|window|in|for|beta|alpha)\b[\s=]?){1,6}[\s(\[]{0,2}$|[(\[]\s?$",
    re.IGNORECASE,
)
OF_WINDOW = re.compile(  # and behind it
    r"(?:[-\s]?(?:steps?|batch(?:es)?|mini-?batch(?:es)?|iter(?:ation)?s?|its|updates?|samples|values|items|epochs?|prints)\b)?"
    r"(?:[-\s](?:running\s|moving\s)?(?:avg|average|mean|ema|window)\b)?\s?[)\]]?\s?(?:is|was|[:=])?\s{0,4}$",
    re.IGNORECASE,
)
OVERALL = re.compile(r"\W{0,8}(?:overall|average|mean|in total|total|all)\b[^|\d]{0,16}:", re.IGNORECASE)
OF_RUNS = re.compile(  # what is said of folds or seeds together
    r"\b(?:cv|cross[\s_-]?val\w{0,6})\b\W{0,3}(?:results?|scores?|mean|average|avg|summary|finished|done|complete\w{0,3})\b"
    r"|\b(?:over|across|of|for)\s(?:all\s|the\s)?(?:\d{1,4}\s|#\s)?(?:k-?)?(?:folds|seeds|runs|splits|trials|repeats)\b|\b(?:\d|k|#)-?fold\s(?:cv|mean|average|avg|results?)",
    re.IGNORECASE,
)
PARALLEL = re.compile(  # two names of two values: "val loss/acc: 2.2/0.6", "Train (loss, acc): 2.5, 0.7"
    r"(?:([A-Za-z][\w-]{0,20})[\s:]{0,2}[(\[]\s?)?([A-Za-z][\w. -]{0,40}?)\s?([/,&|])\s?([A-Za-z][\w -]{0,20}?)"
    r"\s?[)\]]?\s?[:=]\s{0,4}[`'\"(\[]{0,2}$"
)
QUALIFIED = re.compile(  # "Test loss, NN: 0.61": of which model
    r"^\s*([A-Za-z][\w -]{2,30}),\s((?!ACC|Acc|AUC|F1|LR|Time|IoU|mIoU|Dice|PSNR|SSIM|BLEU)[A-Z][A-Za-z0-9-]{1,20})"
    r"\s?:\s*$"
)
AFTER_COUNT = re.compile(r"\s?(epoch|step|iteration|iter)s?\s?[:=]", re.IGNORECASE)  # "val loss after 3 epochs: 2.31"
CELL = re.compile(r"([^|]{2,60})\|\s*$")  # "eval CrossEntropyLoss |  2.31"
SETTINGS = re.compile(r"^\W{0,12}(?:[\w.]{0,40}\s)?(?:Namespace|Config|Arguments|Args|Options|hparams|EasyDict)\b"
                      r".{0,3}[({:]", re.IGNORECASE)  # fmt: skip
CODE = re.compile(
    r"^\s*(?:def|class|import|return|parser|assert|raise|lambda|@)\b"
    r"|^\s*(?:if|elif|for|while|with|from|try|except)\b.{0,200}(?::\s{0,4}(?:#.{0,200})?$|\bimport\b)|^\s*print\w{0,3}\(|\.add_argument|self\.\w{1,40}\s?[-+*/]?="
    r"|^\s*[\w.]{1,60}\s?[-+*/]=\s|\.append\(|\.item\(|=\s?\[\]"
)
ASSIGNED = re.compile(r"^\s*[\w.'\"-]{1,60}\s*[:=]\s*$")
KERAS = re.compile(r"^\s*(?:\[[=>.]|\[\d*m|[\u2501\u2500]|- \d|- E)")
SIDE_ALONE = re.compile(r"^\s{0,4}(?:train|training|val|valid|validation|eval|test)\s?\($", re.IGNORECASE)
SUMS_UP = re.compile(r"\s{0,8}(?:\*\s|Averaged stats:)")
WEIGHED = re.compile(r"\(\*\s?$")
BAR = ("batch", "epoch")  # what "3/10" counts: Keras's bar is of the epoch
LEVELS = frozenset({"info", "debug", "log", "main", "root"})  # what a logger puts before a line's words
JOINING = frozenset((
    "the", "per", "on", "for", "of", "at", "in", "after", "is", "was", "set",
))  # fmt: skip
SET_WORDS = frozenset({"data", "set", "dataset", "split"})
COUNTS = frozenset({"steps", "samples", "batches", "size", "examples"})  # "Val steps: 7" heads nothing
OF_OBJECTIVE = frozenset(("function",))
OF_ORDINAL = ("st", "nd", "rd", "th")
BEST = frozenset(("best", "previous", "lowest"))
STOPPING = frozenset({"early", "stopping", "stopped"})  # "early stop at epoch 31" is a position
TIMING = frozenset({"time", "took", "duration", "elapsed", "runtime"})
FACTS: dict[tuple[str, ...], str] = {
    ("batch", "size"): "batch_size", ("per", "device", "train", "batch", "size"): "batch_size",
    ("context", "length"): "context", ("context", "len"): "context", ("block", "size"): "context",
    ("sequence", "length"): "context", ("seq", "len"): "context", ("seq", "length"): "context",
    ("max", "seq", "len"): "context", ("sequence", "context", "length"): "context", ("sequence", "len"): "context",
    ("vocab", "size"): "vocab_size", ("dropout",): "dropout", ("embedding", "dimension"): "width",
    ("n", "embd"): "width", ("layers",): "layers", ("n", "layer"): "layers", ("heads",): "heads",
    ("tokens", "per", "iteration", "will", "be"): "tokens_per_step", ("total", "batch", "size"): "tokens_per_step",
    ("total", "elapsed", "time"): "elapsed", ("elapsed", "time"): "elapsed", ("eval", "iters"): "eval_iters",
    ("gradient", "accumulation", "steps"): "accumulate", ("label", "smoothing"): "label_smoothing",
    ("weight", "decay"): "weight_decay", ("mixup",): "mixup", ("num", "gpus"): "devices", ("world", "size"): "devices",
    ("epochs",): "epochs", ("num", "epochs"): "epochs",
}  # fmt: skip
LONGEST_FACT = max(map(len, FACTS))
SPEAKS = (  # parts of words of lines that may hold a loss, a position or a setting
    "loss", "epoch", "step", "iter", "ppl", "perpl", "bpb", "trl", "tel", "nll", "entrop", "xent", "elapsed", "batch",
    "size", "leng", "layers", "heads", "dim", "dropout", "vocab", "context", "tokens", "cost", "objective", "round",
    "update", "learn", "train", "valid", "eval", "test", "mixup", "smoothing", "gpus", "rmse", "mse", "mae", "l2",
    "l1", "up.", "tr:", "tr=", "va:", "va=",
    "likel", "objf", "elbo", "prob", "ep ", "ep.", "ce:", "ce=", "ce-", "ce avg", "bce", "cv",
)  # fmt: skip
HEADS = (
    "loss", "train", "val", "test", "eval", "dev", "ppl", "perpl", "nll", "entropy", "cost", "rmse", "mse", "learn",
    "trn", "tst", "objective", "likel", "elbo", "epoch", "step",
)  # fmt: skip
