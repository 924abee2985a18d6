"""Which extra of pyproject.toml brings a package that is not installed, and which images have it."""

FULL_IMAGES = "the images credit-default-training and credit-default-api-models have it"
BOOSTERS = ("lightgbm", "xgboost", "catboost")
MODELS = ("joblib", "mlflow", "pandas", "sklearn", "skops", "threadpoolctl")
EXTRAS = {
    "boosting": (BOOSTERS, "the image credit-default-api-models has it"),
    "models": (MODELS, FULL_IMAGES),
}
OTHERS = ("train", "the image credit-default-training has it")


def not_installed(error: ModuleNotFoundError) -> str | None:
    """What is missing and where it is; None where it is this project's own module that is not found."""
    package = (error.name or "app").split(".")[0]
    if package == "app":
        return None
    found = [(extra, image) for extra, (packages, image) in EXTRAS.items() if package in packages]
    extra, image = found[0] if found else OTHERS
    return f"{package} is not installed: pip install '.[{extra}]' brings it, and {image}"
