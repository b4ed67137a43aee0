# An image with models in it, where one port is asked and no sidecar can be: Vertex AI, docker run. TorchServe's own /ping
# fails while a model is down. Put archives into model_store/ beside this file; FROM is the image that ./Dockerfile makes.
#     docker build -f deploy/docker/models.Dockerfile -t my-models deploy/docker
#     docker run --rm -p 127.0.0.1:8080:8080 my-models
ARG IMAGE=torchserve-with-ts-retry
# hadolint ignore=DL3006
FROM ${IMAGE}
COPY config.properties /home/model-server/config.properties
COPY model_store/*.mar /home/model-server/model-store/
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/ping', timeout=3)"]
# The entry point of TorchServe's image would keep the container alive when the server has ended.
ENTRYPOINT []
CMD ["ts-retry", "run", "--", "torchserve", "--start", "--foreground", "--ncs", "--ts-config", "/home/model-server/config.properties"]
