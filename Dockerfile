# Locust with scorebench, for the profile `load` of docker-compose.yml: a master or a worker, as its arguments say.
FROM python:3.11-slim-bookworm
WORKDIR /work
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install .
COPY locustfile.py locust.conf ./
COPY payloads ./payloads
EXPOSE 8089
ENTRYPOINT ["locust"]
