# Locust with scorebench: a master or a worker, as its arguments say. For the profile `load` of docker-compose.yml
# and for deploy/kubernetes/. All packages come from a lock, by hash. It runs as nobody, and writes to
# /work/reports and /tmp alone.
FROM python:3.11-slim-bookworm
WORKDIR /work
COPY locks/load.txt ./
RUN pip install --no-cache-dir --require-hashes -r load.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir --no-deps .
COPY locustfile.py locust.conf ./
COPY payloads ./payloads
RUN mkdir reports && chown 65534:65534 reports
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
EXPOSE 8089
ENTRYPOINT ["locust"]
