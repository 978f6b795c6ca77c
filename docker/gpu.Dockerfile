# colibri serve on NVIDIA GPUs, from a checkout:
#
#   docker build -f docker/gpu.Dockerfile -t colibri-gpu .
#   docker run --gpus all --read-only --tmpfs /tmp -p 127.0.0.1:8080:8080 -v colibri:/data colibri-gpu
#
# Where there is no GPU it serves from the CPU, and its log and /v1/models say so and why; `--provider cuda` at the end of
# the command refuses instead. `python3 run.py test-image --gpu` builds it (2.7 GB in
# /opt/colibri) and has it serve from a CPU; no GPU has run it.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY runtime ./runtime
COPY export ./export
COPY models ./models
# CUDA 13 and cuDNN 9 come as packages, so the base stays slim. pip stays behind in a folder of its own.
RUN python -m venv /opt/pip && python -m venv --without-pip /opt/colibri \
    && /opt/pip/bin/pip --python /opt/colibri/bin/python install --no-cache-dir '.[gpu,server]' 'onnxruntime-gpu[cuda,cudnn]>=1.31,<2'
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
# What NVIDIA's container runtime lets in.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Every option of serve is a variable (docs/operations.md); `docker run --env` changes one.
ENV COLIBRI_SERVE_HOST=0.0.0.0 COLIBRI_SERVE_PORT=8080 COLIBRI_SERVE_KEYS_FILE=/data/keys.json
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"COLIBRI_SERVE_PORT\"]}/live', timeout=4)"]
ENTRYPOINT ["colibri"]
CMD ["serve"]
