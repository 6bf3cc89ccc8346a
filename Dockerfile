# The exporter, as an unprivileged user. It writes no files, so the root file system can be read-only.
#
#   docker build --tag openvpn-exporter .
#   docker run --read-only --cap-drop ALL --publish 127.0.0.1:9176:9176 \
#     --group-add "$(stat --format %g /run/openvpn-management)" \
#     --volume /run/openvpn-management:/run/openvpn-management \
#     --volume /etc/openvpn-exporter:/etc/openvpn-exporter:ro openvpn-exporter
#
# The base has a digest, that of all its architectures, so that each build has the same one. Each week a pull request proposes the
# newest (.github/dependabot.yml). By hand: docker buildx imagetools inspect python:3.13-slim-bookworm
ARG PYTHON=python:3.13.14-slim-bookworm@sha256:67a1e1f215ccda113cfc024e8639049257e88f273898f595b61476d128d387e8

FROM ${PYTHON} AS build
WORKDIR /build
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv tools
RUN tools/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: --requirement requirements/build.txt
RUN python -m venv --without-pip /opt/openvpn-exporter
RUN tools/bin/pip --python /opt/openvpn-exporter/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps --only-binary :all: --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN tools/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir wheels .
RUN tools/bin/pip --python /opt/openvpn-exporter/bin/python install --no-compile --no-index --no-deps wheels/*.whl
# Byte code that does not depend on file times, so that none is written at run time.
RUN /opt/openvpn-exporter/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/openvpn-exporter/lib

FROM ${PYTHON}
ARG PYTHON
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="openvpn-exporter" \
      org.opencontainers.image.description="Prometheus exporter for OpenVPN, over its management interface" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${PYTHON}"
COPY --from=build /opt/openvpn-exporter /opt/openvpn-exporter
ENV PATH=/opt/openvpn-exporter/bin:$PATH PYTHONDONTWRITEBYTECODE=1
# A number, so that Kubernetes can check that it is not root. This group needs access to OpenVPN's socket directory.
USER 9176:9176
EXPOSE 9176
# With TLS or another port, set another check: docker run --health-cmd …
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9176/-/healthy', timeout=4)"]
ENTRYPOINT ["openvpn-exporter"]
CMD ["--config.file", "/etc/openvpn-exporter/config.yaml"]
