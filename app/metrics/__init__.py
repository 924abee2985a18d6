"""Every Prometheus metric of the serving process."""

from app.metrics.bound import BoundCounter, BoundHistogram
from app.metrics.definitions import Metrics
from app.metrics.per_model import ChallengerMetrics, ModelMetrics

__all__ = ["BoundCounter", "BoundHistogram", "ChallengerMetrics", "Metrics", "ModelMetrics"]
