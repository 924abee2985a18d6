# One file for the images api (the last, so the default), training and mlflow, and for skaffold's dev.
# --build-arg GIT_COMMIT=$(git rev-parse HEAD) names the commit in /meta.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=0 UV_NO_CACHE=1
WORKDIR /srv/credit
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet uv==0.13.9 && python -m venv --without-pip .venv
COPY pyproject.toml requirements.lock ./

# Models are served by their documents. API_EXTRAS="--extra models --extra boosting" adds what reads the files of those
# that have none or no compiled form; the release builds that as credit-default-api-models.
FROM build AS build-api
ARG API_EXTRAS=
RUN /opt/uv/bin/uv pip install --quiet --require-hashes -c requirements.lock -r pyproject.toml ${API_EXTRAS} \
 && find .venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +

# Training and the MLflow server share one layer of packages: most of either is mlflow's own.
FROM build AS build-mlflow
RUN /opt/uv/bin/uv pip install --quiet --require-hashes -c requirements.lock -r pyproject.toml --extra models --extra train --group server \
 && find .venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +

# The project itself: the command `credit`, and where its code will lie. A layer of its own, made from the version alone,
# so that a change of the code installs nothing again.
FROM build AS build-credit
RUN /opt/uv/bin/uv pip install --quiet --require-hashes -c requirements.lock --group build
COPY README.md LICENSE ./
COPY app/__init__.py app/
RUN /opt/uv/bin/uv pip install --quiet --offline --no-deps --no-build-isolation --prefix /opt/credit --editable .

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/srv/credit/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp MLFLOW_DISABLE_TELEMETRY=true \
    SERVING__CACHE_DIR=/tmp/models MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /srv/credit
USER 10001:10001

FROM base AS mlflow
COPY --from=build-mlflow /srv/credit/.venv .venv
EXPOSE 5000
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]

FROM mlflow AS training
COPY --from=build-credit /opt/credit .venv
COPY configs configs
COPY app app
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=${GIT_COMMIT}
CMD ["credit", "train"]

FROM base AS served
# The server flushes its log itself, once for all that it does in a turn.
ENV PYTHONUNBUFFERED=
COPY --from=build-api /srv/credit/.venv .venv
COPY --from=build-credit /opt/credit .venv
COPY configs configs
COPY app app
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=${GIT_COMMIT}
EXPOSE 8000
CMD ["credit", "serve", "--host", "0.0.0.0", "--port", "8000"]

# For skaffold dev: a copy of the code that can be written to, and a server that starts anew when it changes.
FROM served AS dev
# Before the code that is installed.
ENV PYTHONPATH=/tmp/dev
CMD ["sh", "-c", "mkdir -p /tmp/dev && cp -r app configs /tmp/dev && exec credit serve --host 0.0.0.0 --port 8000 --reload"]

FROM served AS api
