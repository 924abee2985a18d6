# The system on a kind cluster. Every kubectl and helm call names the cluster's context.

CLUSTER := credit
CONTEXT := kind-$(CLUSTER)
# kind's own default when empty.
KIND_NODE_IMAGE ?=
# A kube-prometheus-stack chart (folder or archive) to use where the pinned one cannot be pulled.
KPS_CHART ?=
# Of `make load`.
USERS ?= 20
SPAWN_RATE ?= 10
RUN_TIME ?= 60s
HOST ?= http://127.0.0.1:8000
# Of `make e2e`: the moment, in seconds since 1970, after which no further test begins; empty is no limit.
E2E_UNTIL ?=

# Of `make backup` and `make restore`: the file of values for charts/backup that says where backups go.
BACKUP ?=

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' app/__init__.py)
IMAGES := api training mlflow
# The control plane takes no pods of ours but the one that tests call from, whose image is the API's.
WORKERS := $(CLUSTER)-worker,$(CLUSTER)-worker2
# For a build that has to use the host's network, as in DOCKER_BUILD_FLAGS=--network=host.
DOCKER_BUILD_FLAGS ?=
UP := build/.up
KUBECTL := kubectl --context $(CONTEXT)
HELM := helm --kube-context $(CONTEXT)
INSTALL = $(HELM) upgrade --install $(1) charts/$(1) --values k8s/kind/$(1).yaml --timeout 10m
# What `make up` started is what train and predict mean; IN=local is this machine without it.
IN ?= $(if $(wildcard $(UP)),cluster,local)

.PHONY: up
up: $(SYNCED) cluster images install first-model ## Make the kind cluster, install everything, wait until it answers
	@mkdir -p build && touch $(UP)
	@$(MAKE) --no-print-directory dashboards

.PHONY: cluster
cluster:
	kind get clusters 2>/dev/null | grep -qx $(CLUSTER) || \
	  kind create cluster --name $(CLUSTER) --config kind-config.yaml $(if $(KIND_NODE_IMAGE),--image $(KIND_NODE_IMAGE))

.PHONY: images
images: ## Build the three images, and load them where a cluster is up
	for image in $(IMAGES); do \
	  docker build --quiet $(DOCKER_BUILD_FLAGS) --build-arg GIT_COMMIT=$(GIT_COMMIT) --target $$image -t credit-default-$$image:$(VERSION) . ; done
	! kind get clusters 2>/dev/null | grep -qx $(CLUSTER) || { \
	  kind load docker-image --name $(CLUSTER) --nodes $(WORKERS) $(IMAGES:%=credit-default-%:$(VERSION)); \
	  kind load docker-image --name $(CLUSTER) credit-default-api:$(VERSION); }

.PHONY: chart-dependencies
chart-dependencies:
	rm -rf charts/monitoring/charts && mkdir -p charts/monitoring/charts
	$(if $(KPS_CHART),cp -rL $(KPS_CHART) charts/monitoring/charts/,helm dependency build charts/monitoring)

.PHONY: cluster-basics
cluster-basics:
	$(KUBECTL) apply --server-side -f k8s/namespaces.yaml -f k8s/metrics-server.yaml
	$(KUBECTL) --namespace kube-system rollout status deployment/metrics-server --timeout 5m
	$(KUBECTL) apply --server-side -f k8s/metrics-apiservice.yaml

.PHONY: install
install: chart-dependencies cluster-basics ## Install or upgrade every chart on the cluster
	$(call INSTALL,monitoring) --namespace monitoring --wait
	$(call INSTALL,postgres) --namespace credit --wait
	$(call INSTALL,minio) --namespace credit --wait
	$(call INSTALL,mlflow) --namespace credit --wait
	$(call INSTALL,api) --namespace credit
	@# The tag of a changed image is the same, so that only a restart takes it.
	$(KUBECTL) --namespace credit rollout restart deployment/mlflow deployment/api
	$(KUBECTL) --namespace credit rollout status deployment/mlflow --timeout 5m

.PHONY: backup
backup: need-backup ## Install charts/backup and make a backup now: BACKUP=values.yaml
	$(call INSTALL,backup) --namespace credit --values $(BACKUP)
	$(KUBECTL) --namespace credit delete job backup-now --ignore-not-found
	$(KUBECTL) --namespace credit create job backup-now --from cronjob/backup-run
	$(KUBECTL) --namespace credit wait --for condition=complete job/backup-now --timeout 2h
	$(KUBECTL) --namespace credit logs job/backup-now --all-containers

.PHONY: need-backup
need-backup:
	@test -n "$(BACKUP)" || { echo "name the file of values that says where backups go: make $(MAKECMDGOALS) BACKUP=values.yaml"; exit 2; }

.PHONY: restore
restore: need-backup chart-dependencies cluster-basics ## Bring the latest backup back, onto a cluster without data: BACKUP=values.yaml
	$(call INSTALL,monitoring) --namespace monitoring --wait
	$(call INSTALL,postgres) --namespace credit --wait
	$(call INSTALL,minio) --namespace credit --wait
	$(call INSTALL,backup) --namespace credit --values $(BACKUP) --set restore.enabled=true
	$(KUBECTL) --namespace credit wait --for condition=complete job/backup-restore --timeout 2h
	$(KUBECTL) --namespace credit logs job/backup-restore --all-containers
	$(call INSTALL,backup) --namespace credit --values $(BACKUP)
	$(call INSTALL,mlflow) --namespace credit --wait
	$(call INSTALL,api) --namespace credit
	$(KUBECTL) --namespace credit rollout status deployment/api --timeout 10m

.PHONY: first-model
first-model: $(SYNCED)
	$(BIN)/python -m scripts.cluster_train --context $(CONTEXT) --only-when-empty
	$(KUBECTL) --namespace credit rollout status deployment/api --timeout 5m

.PHONY: dashboards
dashboards: ## Addresses and passwords of what runs in the cluster
	@$(BIN)/python -m scripts.addresses --context $(CONTEXT)

.PHONY: load
load: $(SYNCED) ## Load the service with locust: USERS, SPAWN_RATE, RUN_TIME, HOST; fails when the objective is missed
	$(BIN)/locust --locustfile loadtests/locustfile.py --headless --users $(USERS) --spawn-rate $(SPAWN_RATE) --run-time $(RUN_TIME) --host $(HOST) --only-summary

.PHONY: e2e
e2e: $(SYNCED) ## Test the running cluster: E2E_UNTIL
	CONTEXT=$(CONTEXT) $(BIN)/pytest -m e2e -p tests.e2e.budget $(if $(E2E_UNTIL),--until $(E2E_UNTIL)) tests/e2e

.PHONY: down
down: ## Delete the kind cluster and all that is in it
	kind delete cluster --name $(CLUSTER)
	rm -f $(UP)
