# The HTTP API and MCP endpoint. Built in one stage and copied, so the image holds no build tools.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /app
COPY pyproject.toml README.md LICENSE ./
COPY bus bus
COPY api api
COPY mcp_server mcp_server
RUN /app/bin/pip install --no-cache-dir --disable-pip-version-check . \
 && /app/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --no-create-home backchannel \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BACKCHANNEL_HOST=0.0.0.0 \
    BACKCHANNEL_PORT=8080 \
    BACKCHANNEL_DATA_DIR=/data/store \
    BACKCHANNEL_CONFIG_DIR=/data/config
USER 10001:10001
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['BACKCHANNEL_PORT'] + '/health', timeout=2)"]
ENTRYPOINT ["backchannel"]
CMD ["serve"]
