# colibri serve on CPUs, from a checkout:
#
#   docker build -f docker/cpu.Dockerfile -t colibri .
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:8080:8080 -v colibri:/data colibri
#
# /data holds the keys (`docker run --rm -v colibri:/data --entrypoint colibri colibri keys add laptop --keys-file
# /data/keys.json`), artefacts of yours, and an index if you add `--index /data/index`. Once a machine,
#
#   docker run --rm --read-only --tmpfs /tmp -v colibri:/data colibri warmup --packed
#
# leaves the model's weights there as its processor wants them, and all containers with that volume share their memory.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY runtime ./runtime
COPY export ./export
COPY models ./models
# pip stays behind in a folder of its own: the image has none.
RUN python -m venv /opt/pip && python -m venv --without-pip /opt/colibri \
    && /opt/pip/bin/pip --python /opt/colibri/bin/python install --no-cache-dir '.[cpu,server]'
# MaxSim's kernels, for every processor of this platform; the compiler stays behind, too.
RUN /opt/pip/bin/pip install --no-cache-dir '.[kernels]' \
    && /opt/pip/bin/python -m colibri_kernels build --out /opt/colibri/kernels
RUN mkdir -p /data && /opt/colibri/bin/colibri rerank 'who lives here?' 'Nobody.'

FROM python:3.12-slim-bookworm
COPY --from=build /opt/colibri /opt/colibri
COPY --from=build --chown=65532:65532 /data /data
# HF_HUB_OFFLINE: a server does not fetch models; put artefacts into /data.
ENV PATH=/opt/colibri/bin:$PATH HOME=/tmp HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1
ENV COLIBRI_KERNEL_LIBRARIES=/opt/colibri/kernels
# Not packed in the image: 99 MB more, and of use on the builder's processor alone. A volume has them where they fit.
ENV XDG_CACHE_HOME=/data/cache
# Every option of serve is a variable (docs/operations.md); `docker run --env` changes one.
ENV COLIBRI_SERVE_HOST=0.0.0.0 COLIBRI_SERVE_PORT=8080 COLIBRI_SERVE_KEYS_FILE=/data/keys.json
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"COLIBRI_SERVE_PORT\"]}/live', timeout=4)"]
ENTRYPOINT ["colibri"]
CMD ["serve"]
