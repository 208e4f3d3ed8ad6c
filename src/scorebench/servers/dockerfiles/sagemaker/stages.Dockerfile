
# ---- Above: what MLflow's generator wrote. From here on: scorebench's, to serve MLeap models too. ----

# The jars of MLflow's Java scoring server, checked against the sums of the version they were taken for.
FROM ${PYTHON_IMAGE} AS jars
ARG MLFLOW_SCORING_VERSION=1.20.0
RUN apt-get update && apt-get install -y --no-install-recommends maven openjdk-17-jre-headless
COPY pom.xml jars.sha256 /build/
RUN mvn -B -q -f /build/pom.xml -Dmlflow.scoring.version=$MLFLOW_SCORING_VERSION \
      org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory=/opt/java/jars \
 && cd /opt/java/jars \
 && if [ "$MLFLOW_SCORING_VERSION" = 1.20.0 ]; then sha256sum -c --quiet /build/jars.sha256; fi

FROM mlflow
ARG MLFLOW_SCORING_VERSION=1.20.0
LABEL scorebench.mlflow-scoring=$MLFLOW_SCORING_VERSION
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/*
COPY --from=jars /opt/java/jars /opt/java/jars
# The model's packages, named by its files. MLflow installs them at each start; here they are found installed.
COPY model_env /opt/model_env
RUN if [ -f /opt/model_env/MLmodel ]; then python -c "from mlflow.models import container as C; C._install_pyfunc_deps('/opt/model_env', env_manager='local')"; fi
COPY entry /opt/scorebench/entry
EXPOSE 8080
ENTRYPOINT ["/bin/sh", "/opt/scorebench/entry"]
CMD ["serve"]
