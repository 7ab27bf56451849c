# syntax=docker/dockerfile:1
# One target for each part of compose.yaml. Each installs only what its part imports, with hashes. Only `training` has
# torch, without hashes: TORCH_INDEX is a package index with its files for processors, or for graphics cards.
ARG PYTHON=python:3.11.14-slim-bookworm
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

FROM ${PYTHON} AS base
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app/src \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    GLAS_DATA_DIR=/data
# A volume that is first mounted at one of these directories takes over its owner.
RUN groupadd --gid 10001 glas \
 && useradd --uid 10001 --gid glas --home-dir /tmp --no-create-home --shell /usr/sbin/nologin glas \
 && install -d -o glas -g glas /data /data/rounds
WORKDIR /app

# What all parts share; compiled here, since the containers cannot write.
FROM base AS program
COPY src/glas src/glas
RUN python -m compileall -q src

FROM base AS packages
# docopt alone has no wheel; nothing else may run code of its own while it is installed.
ENV INSTALL="pip --python /venv/bin/python --disable-pip-version-check --no-cache-dir install --require-hashes --only-binary :all: --no-binary docopt"
RUN python -m venv --without-pip /venv

FROM packages AS packages-tg_bot
COPY requirements/tg_bot.txt requirements/
RUN $INSTALL -r requirements/tg_bot.txt

FROM packages AS packages-nn_service
COPY requirements/nn_service.txt requirements/
RUN $INSTALL -r requirements/nn_service.txt

FROM packages AS packages-nn_service_gpu
COPY requirements/nn_service_gpu.txt requirements/
RUN $INSTALL -r requirements/nn_service_gpu.txt

FROM packages AS packages-db_assist
COPY requirements/db_assist.txt requirements/
RUN $INSTALL -r requirements/db_assist.txt

FROM packages AS packages-data_loader
COPY requirements/data_loader.txt requirements/
RUN $INSTALL -r requirements/data_loader.txt

FROM packages AS packages-backup
COPY requirements/backup.txt requirements/
RUN $INSTALL -r requirements/backup.txt

FROM packages AS packages-training
ARG TORCH
ARG TORCH_INDEX
COPY requirements/training.txt requirements/
# The variable names a version.
# hadolint ignore=DL3013
RUN $INSTALL -r requirements/training.txt \
 && pip --python /venv/bin/python --disable-pip-version-check --no-cache-dir install --only-binary :all: \
    --index-url "$TORCH_INDEX" "$TORCH"

FROM packages AS packages-web
COPY requirements/web.txt requirements/
RUN $INSTALL -r requirements/web.txt

FROM program AS tg_bot
COPY --from=packages-tg_bot /venv /venv
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["run", "tg_bot"]

FROM program AS nn_service
COPY --from=packages-nn_service /venv /venv
COPY models/whisper-base-ru models/whisper-base-ru
COPY samples samples
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["run", "nn_service"]

# The same for a graphics card: CUDA's libraries lie among the packages, the driver comes from the host.
FROM nn_service AS nn_service_gpu
COPY --from=packages-nn_service_gpu /venv /venv
ENV LD_LIBRARY_PATH=/venv/lib/python3.11/site-packages/nvidia/cublas/lib:/venv/lib/python3.11/site-packages/nvidia/cudnn/lib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM nn_service AS training
COPY --from=packages-training /venv /venv
COPY recipes recipes
CMD ["learn"]

FROM program AS db_assist
COPY --from=packages-db_assist /venv /venv
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["run", "db_assist"]

FROM db_assist AS migrate
CMD ["migrate"]

FROM program AS data_loader
COPY --from=packages-data_loader /venv /venv
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["run", "data_loader"]

# Debian's own pg_dump is older than the server of compose.yaml, and refuses it.
FROM program AS backup
# Debian keeps only the newest build of a package, so a pinned build would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
 && apt-get install -y --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/*
ENV PATH=/venv/bin:/usr/lib/postgresql/17/bin:$PATH
COPY --from=packages-backup /venv /venv
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["backup", "/backups/glas.tar"]

FROM program AS web
COPY --from=packages-web /venv /venv
COPY samples samples
USER 10001:10001
ENTRYPOINT ["python", "-m", "glas"]
CMD ["run", "web"]

# Fetches weights. It has the embedded model as well, so that "is it on disk?" has one answer everywhere.
FROM web AS model
COPY models/whisper-base-ru models/whisper-base-ru
CMD ["models", "get", "embedded"]
