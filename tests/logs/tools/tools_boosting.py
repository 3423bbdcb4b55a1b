# ruff: noqa: E501, TC003  (calls of tools are long)
"""XGBoost, LightGBM, CatBoost and scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data import table
from make import kept, log, points, printed, scratch


def rounds(values: Any, every: int = 1) -> dict[str, list[float]]:
    """Return a loss of one value a round, and of the last where rounds are left out."""
    values = list(values)
    at = [k for k in range(len(values)) if k % every == 0 or k == len(values) - 1]
    return points([values[k] for k in at], step=at, iteration=at)


def xgb(path: Path, metrics: list[str], names: tuple[str, str], every: int | bool = True, **options: Any) -> Any:
    """Train with XGBoost; return its history."""
    import xgboost

    classes = options.pop("classes", True)
    x, y, xv, yv = table(classes=classes)
    sets = xgboost.DMatrix(x, y), xgboost.DMatrix(xv, yv)
    seen: dict[str, Any] = {}
    objective = "binary:logistic" if classes else "reg:squarederror"
    with printed(path):
        xgboost.train(
            {"objective": objective, "eval_metric": metrics, "eta": 0.2, "max_depth": 3, "nthread": 1}, sets[0], 25,
            evals=list(zip(sets, names, strict=True)), evals_result=seen, verbose_eval=every, **options,
        )  # fmt: skip
    return seen


@log("xgboost-logloss.txt", "xgboost", "xgboost.train(evals=[(train, 'train'), (valid, 'eval')])")
def xgb_logloss(path: Path) -> dict[str, Any]:
    seen = xgb(path, ["logloss"], ("train", "eval"))
    return {"train": rounds(seen["train"]["logloss"]), "val": rounds(seen["eval"]["logloss"]), "digits": 5}


@log("xgboost-several.txt", "xgboost", "xgboost.train(eval_metric=['error', 'auc', 'logloss'], verbose_eval=5)")
def xgb_several(path: Path) -> dict[str, Any]:
    seen = xgb(path, ["error", "auc", "logloss"], ("training", "validation"), 5)
    return {
        "train": rounds(seen["training"]["logloss"], 5),
        "val": rounds(seen["validation"]["logloss"], 5),
        "digits": 5,
    }


@log("xgboost-rmse.txt", "xgboost", "xgboost.train(objective='reg:squarederror', eval_metric='rmse')")
def xgb_rmse(path: Path) -> dict[str, Any]:
    seen = xgb(path, ["rmse"], ("train", "test"), classes=False)
    return {"train": rounds(seen["train"]["rmse"]), "val": rounds(seen["test"]["rmse"]), "digits": 5}


@log("xgboost-history.json", "xgboost", "json.dump(evals_result)")
def xgb_history(path: Path) -> dict[str, Any]:
    seen = xgb(scratch(path) / "out", ["logloss", "error"], ("train", "valid"), every=False)
    path.write_text(json.dumps(seen))
    return {"train": rounds(seen["train"]["logloss"]), "val": rounds(seen["valid"]["logloss"]), "relative": 1e-9}


@log("xgboost-cv.txt", "xgboost", "xgboost.cv(nfold=3, verbose_eval=True)")
def xgb_cv(path: Path) -> dict[str, Any]:
    import xgboost

    x, y, *_ = table()
    with printed(path):
        found = xgboost.cv({"objective": "binary:logistic", "eta": 0.2, "nthread": 1}, xgboost.DMatrix(x, y), 15, nfold=3,
                           verbose_eval=True)  # fmt: skip
    return {"train": rounds(found["train-logloss-mean"]), "val": rounds(found["test-logloss-mean"]), "digits": 5}


@log("xgboost-cv.csv", "xgboost", "xgboost.cv(nfold=3).to_csv()")
def xgb_cv_table(path: Path) -> dict[str, Any]:
    import xgboost

    x, y, *_ = table()
    found = xgboost.cv({"objective": "binary:logistic", "eta": 0.2, "nthread": 1}, xgboost.DMatrix(x, y), 15, nfold=3)
    found.to_csv(path)
    truth = {"train": rounds(found["train-logloss-mean"]), "val": rounds(found["test-logloss-mean"]), "relative": 1e-9}
    for side in ("train", "val"):  # the first column has no name
        truth[side]["place"] = [k + 1 for k in truth[side]["step"]]
    return truth


@log("xgboost-sklearn.txt", "xgboost", "XGBClassifier().fit(eval_set=[(x, y), (xv, yv)], verbose=True)",
     columns="train=validation_0-logloss,val=validation_1-logloss")  # fmt: skip
def xgb_sklearn(path: Path) -> dict[str, Any]:
    import xgboost

    x, y, xv, yv = table()
    model = xgboost.XGBClassifier(n_estimators=15, eval_metric="logloss", n_jobs=1)
    with printed(path):
        model.fit(x, y, eval_set=[(x, y), (xv, yv)], verbose=True)
    seen = model.evals_result()
    return {
        "train": rounds(seen["validation_0"]["logloss"]),
        "val": rounds(seen["validation_1"]["logloss"]),
        "digits": 5,
    }


def lgb(path: Path, metrics: list[str], *, classes: bool = True, every: int = 1) -> Any:
    """Train with LightGBM; return its history."""
    import lightgbm

    x, y, xv, yv = table(classes=classes)
    train = lightgbm.Dataset(x, y)
    seen: dict[str, Any] = {}
    settings = {
        "objective": "binary" if classes else "regression",
        "metric": metrics,
        "num_leaves": 7,
        "num_threads": 1,
    }
    with printed(path):
        lightgbm.train(
            settings, train, 25, valid_sets=[train, lightgbm.Dataset(xv, yv, reference=train)],
            callbacks=[lightgbm.log_evaluation(every), lightgbm.record_evaluation(seen)],
        )  # fmt: skip
    return seen


def lgb_rounds(values: Any, every: int = 1) -> dict[str, list[float]]:
    """Return LightGBM's values: rounds count from one."""
    values = list(values)
    at = [k for k in range(1, len(values) + 1) if k % every == 0]
    return points([values[k - 1] for k in at], step=at, iteration=at)


@log("lightgbm-logloss.txt", "lightgbm", "lightgbm.train(valid_sets=[train, valid], log_evaluation(1))")
def lgb_logloss(path: Path) -> dict[str, Any]:
    seen = lgb(path, ["binary_logloss"])
    sides = seen["training"]["binary_logloss"], seen["valid_1"]["binary_logloss"]
    return {"train": lgb_rounds(sides[0]), "val": lgb_rounds(sides[1]), "significant": 6}


@log(
    "lightgbm-several.txt",
    "lightgbm",
    "lightgbm.train(metric=['auc', 'binary_logloss', 'binary_error'], log_evaluation(5))",
)
def lgb_several(path: Path) -> dict[str, Any]:
    seen = lgb(path, ["auc", "binary_logloss", "binary_error"], every=5)
    sides = seen["training"]["binary_logloss"], seen["valid_1"]["binary_logloss"]
    return {"train": lgb_rounds(sides[0], 5), "val": lgb_rounds(sides[1], 5), "significant": 6}


@log("lightgbm-l2.txt", "lightgbm", "lightgbm.train(objective='regression', metric='l2')")
def lgb_l2(path: Path) -> dict[str, Any]:
    seen = lgb(path, ["l2"], classes=False)
    return {"train": lgb_rounds(seen["training"]["l2"]), "val": lgb_rounds(seen["valid_1"]["l2"]), "significant": 6}


@log("lightgbm-history.json", "lightgbm", "json.dump(record_evaluation's dict)")
def lgb_history(path: Path) -> dict[str, Any]:
    seen = lgb(scratch(path) / "out", ["binary_logloss"])
    path.write_text(json.dumps(seen))
    sides = seen["training"]["binary_logloss"], seen["valid_1"]["binary_logloss"]
    return {"train": rounds(sides[0]), "val": rounds(sides[1]), "relative": 1e-9}


def cat(path: Path, folder: Path, every: int = 1, **options: Any) -> Any:
    """Train with CatBoost; return its history."""
    import catboost

    classes = options.pop("classes", True)
    x, y, xv, yv = table(classes=classes)
    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    model = kind(iterations=25, depth=3, verbose=every, train_dir=str(folder), thread_count=1, random_seed=0, **options)
    with printed(path):
        model.fit(x, y, eval_set=(xv, yv))
    return model.get_evals_result()


@log("catboost-logloss.txt", "catboost", "CatBoostClassifier(verbose=1).fit(eval_set=...)")
def cat_logloss(path: Path) -> dict[str, Any]:
    seen = cat(path, scratch(path))
    return {"train": rounds(seen["learn"]["Logloss"]), "val": rounds(seen["validation"]["Logloss"]), "digits": 7}


@log("catboost-every-5.txt", "catboost", "CatBoostRegressor(verbose=5).fit(eval_set=...)")
def cat_rmse(path: Path) -> dict[str, Any]:
    seen = cat(path, scratch(path), 5, classes=False)
    return {"train": rounds(seen["learn"]["RMSE"], 5), "val": rounds(seen["validation"]["RMSE"], 5), "digits": 7}


@log("catboost-info", "catboost", "the folder catboost_info (train_dir)")
def cat_folder(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    seen = cat(scratch(path.with_suffix(".x")) / "out", folder)
    kept(folder, path, "learn_error.tsv", "test_error.tsv", "time_left.tsv", "catboost_training.json")
    return {"train": rounds(seen["learn"]["Logloss"]), "val": rounds(seen["validation"]["Logloss"]), "relative": 1e-6}


@log("catboost-training.json", "catboost", "catboost_info/catboost_training.json")
def cat_json(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    seen = cat(scratch(path.with_suffix(".x")) / "out", folder)
    path.write_bytes((folder / "catboost_training.json").read_bytes())
    return {"train": rounds(seen["learn"]["Logloss"]), "val": rounds(seen["validation"]["Logloss"]), "relative": 1e-6}


@log("catboost-events", "catboost", "catboost_info/learn and catboost_info/test (TensorBoard)")
def cat_events(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    seen = cat(scratch(path.with_suffix(".x")) / "out", folder)
    kept(folder, path, "*tfevents*")
    return {"train": rounds(seen["learn"]["Logloss"]), "val": rounds(seen["validation"]["Logloss"]), "relative": 1e-6}


@log(
    "sklearn-hist-boosting.txt",
    "scikit-learn",
    "HistGradientBoostingClassifier(early_stopping=True, scoring='loss', verbose=2)",
)
def hist(path: Path) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, *_ = table()
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=True, scoring="loss", verbose=2, random_state=0,
                                           n_iter_no_change=20)  # fmt: skip
    with printed(path):
        model.fit(x, y)
    sides = [-model.train_score_[1:], -model.validation_score_[1:]]
    at = range(1, len(sides[0]) + 1)
    return {
        "train": points(sides[0], step=at, iteration=at),
        "val": points(sides[1], step=at, iteration=at),
        "digits": 5,
    }


@log(
    "sklearn-mlp.txt",
    "scikit-learn",
    "MLPClassifier(verbose=True, early_stopping=True)",
    refused="no validation loss|only training",
)
def mlp(path: Path) -> dict[str, Any]:
    from sklearn.neural_network import MLPClassifier

    x, y, *_ = table()
    with printed(path):
        MLPClassifier((8,), verbose=True, early_stopping=True, max_iter=30, random_state=0).fit(x, y)
    return {}


@log(
    "sklearn-boosting.txt",
    "scikit-learn",
    "GradientBoostingRegressor(verbose=1)",
    refused="no validation loss|only training",
)
def gbr(path: Path) -> dict[str, Any]:
    from sklearn.ensemble import GradientBoostingRegressor

    x, y, *_ = table(classes=False)
    with printed(path):
        GradientBoostingRegressor(n_estimators=20, verbose=2, random_state=0).fit(x, y)
    return {}
