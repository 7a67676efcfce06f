# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything is made under .venv and .cache. Variables: PYTHON=python3.11 (for .venv), ARGS="..." (for the tool of one
# target), KEEP_GOING=1 (make test goes on after a failing part).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SILENT:
# A git hook that calls make must not lead git in the copy back to this checkout.
unexport GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE

ifneq ($(words $(CURDIR)),1)
$(error The path of this checkout must not have a space)
endif

CACHE := $(CURDIR)/.cache
TREE := $(CACHE)/tree
LINK := $(TREE)/ansible_collections/bothends/vpn
REQUIREMENTS := $(patsubst %,-r tests/requirements/%.txt,run test)
# A new name when what it is made from changes: no second run installs anything
VENV := .venv/made-$(shell cat tests/requirements/*.txt tests/tools/venv.sh <(echo $(CURDIR) $(PYTHON)) | sha256sum | cut -c1-12)
# What needs the lab waits for servers and tunnels most of the time: the long ones of the others run meanwhile.
PARTS := lint units judges lab-test,lab-stop/dist,molecule,ansible-units,matrix,sanity,integration,kernel-test

# Cisco's YANG modules, read once; the name changes when what it is made from does.
IOSXE_YANG := $(CACHE)/judges/iosxe-$(shell cat tests/requirements/yang.txt tests/judges/yang_tree.py | sha256sum | cut -c1-12).json

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
export ANSIBLE_COLLECTIONS_PATH := $(TREE)
export ANSIBLE_HOME := $(CACHE)/ansible
export ANSIBLE_LOCAL_TEMP := $(CACHE)/ansible/tmp
export ANSIBLE_GALAXY_CACHE_DIR := $(CACHE)/ansible/galaxy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

# step NAME COMMAND: a heading with the time. step-in-home: what would write to ~ finds .cache/home there.
step = tests/tools/step.sh
step-in-home = HOME=$(CACHE)/home XDG_CACHE_HOME=$(CACHE)/home/.cache tests/tools/step.sh
run-lab = PYTHONPATH=tests/lab .cache/lab/venv/bin/python -m bothends_lab

.PHONY: help venv test lint format units judges sanity integration molecule matrix dist docs bench demo lab lab-stop lab-status lab-run lab-test kernel-test freeze clean

help: ## show this list
	awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

demo: venv ## from nothing to live traffic: the lab, two VPCs, four sites, all ends (needs root)
	$(step-in-home) demo .venv/bin/python tests/demo/demo.py $(ARGS)

test: venv ## all tests, the quick ones first
	+python tests/tools/parts.py $(if $(KEEP_GOING),--keep-going) $(PARTS)

lint: venv ## ruff, yamllint, ansible-lint, changelog and documentation
	$(step) 'lint: ruff check' ruff check
	$(step) 'lint: ruff format' ruff format --check
	$(step) 'lint: yamllint' yamllint --strict .
	rm -rf $(ANSIBLE_HOME)/collections # ansible-lint installs the collection there once, and not again when it changes
	$(step-in-home) 'lint: ansible-lint' ansible-lint --offline --strict
	$(step) 'lint: antsibull-changelog' antsibull-changelog lint
	$(step) 'lint: generated files' env PYTHONPATH=$(TREE) python tests/tools/generate.py --check
	$(step-in-home) 'lint: antsibull-docs' antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .

format: venv ## let ruff fix and format the Python files
	ruff check --fix
	ruff format

units: venv ## unit tests
	$(step-in-home) 'units: pytest' env PYTHONPATH=$(TREE) pytest -n auto \
	  --junitxml=.cache/reports/units/pytest.xml tests/unit $(ARGS)

ansible-units: venv ## the same by ansible-test, which lets modules' code import modules' code only
	$(step) 'units: ansible-test' python tests/tools/ansible_test.py units

judges: venv $(IOSXE_YANG) ## what others say of the configurations that we write: Cisco's YANG modules
	$(step-in-home) judges env PYTHONPATH=$(TREE):tests/judges BOTHENDS_IOSXE_YANG=$(IOSXE_YANG) pytest -n auto \
	  --junitxml=.cache/reports/judges/pytest.xml tests/judges $(ARGS)

sanity: venv ## ansible-test sanity, every test
	$(step) sanity python tests/tools/ansible_test.py sanity --junit $(ARGS)

integration: venv ## ansible-test integration, on this machine
	$(step) integration python tests/tools/ansible_test.py integration $(ARGS)

molecule: venv ## the scenarios in extensions/molecule that need no lab
	$(step-in-home) molecule molecule test --all --exclude hub_and_spoke $(ARGS)

matrix: venv ## the quick tests on the oldest and the newest ansible-core that the Pythons here take
	$(step) matrix python tests/tools/matrix.py $(ARGS)

dist: venv ## build the collection's tarball into .cache/dist, install it and check what is in it
	$(step-in-home) dist tests/tools/dist.sh $(CACHE)/dist

docs: venv ## write what follows from the one specification anew: options, reference, schema
	$(step) docs env PYTHONPATH=$(TREE) python tests/tools/generate.py

lab: ## start the lab: a real cloud and real routers on this machine (needs root); prints exports
	$(step) 'lab: set-up' tests/lab/setup.sh >&2
	$(step) 'lab: start' env $(run-lab) start $(ARGS)

lab-stop: ## stop the lab, leave nothing
	! [[ -x .cache/lab/venv/bin/python ]] || $(step) 'lab: stop' env $(run-lab) stop

lab-status: ## the lab's processes and their memory
	$(run-lab) status

lab-run: ## a command in one of the lab's hosts: ARGS='berlin swanctl --list-sas'
	$(run-lab) run $(ARGS)

lab-test: venv ## the tests that need the lab; starts it and leaves it running
	$(step) 'lab: set-up' tests/lab/setup.sh
	exports=$$($(step) 'lab: start' env $(run-lab) start); eval "$$exports"; \
	$(step-in-home) 'lab: tests' env PYTHONPATH=$(TREE):tests/lab pytest \
	  --junitxml=.cache/reports/lab-test/pytest.xml tests/lab $(ARGS)

kernel-test: export BOTHENDS_LAB := lab-of-kernel
kernel-test: venv ## the tests that need a Linux kernel of their own, or libreswan's programs; in a lab beside the other one
	$(step) 'lab: set-up' tests/lab/setup.sh
	$(step) 'kernel lab: set-up' tests/lab_kernel/setup.sh
	trap '$(step) "kernel lab: stop" env $(run-lab) stop' EXIT; \
	exports=$$($(step) 'lab: start' env $(run-lab) start); eval "$$exports"; \
	$(step-in-home) 'kernel lab: tests' env PYTHONPATH=$(TREE):tests/lab:tests/lab_kernel pytest \
	  --junitxml=.cache/reports/kernel-test/pytest.xml tests/lab_kernel $(ARGS)

venv: $(VENV) $(LINK)
	:

$(VENV):
	$(step) 'virtual environment' tests/tools/venv.sh .venv $(REQUIREMENTS) -c tests/requirements/constraints.txt
	touch $@

$(LINK):
	mkdir -p $(@D) $(CACHE)/home && ln -sfn ../../../.. $@

$(IOSXE_YANG): | venv
	mkdir -p $(@D)
	$(step) 'judges: read the YANG modules' python tests/judges/yang_tree.py $@ tests/requirements/yang.txt

bench: venv ## speed against bare clients and loops, in the lab on MariaDB and SQLite: a quarter of an hour (needs root)
	$(step) 'lab: set-up' tests/lab/setup.sh
	$(step) 'bench: set-up' tests/bench/setup.sh
	$(step-in-home) bench env PYTHONPATH=$(TREE):tests/lab:tests/bench python -m bothends_bench $(ARGS)

freeze: ## pin the newest versions that tests/requirements/run.txt and test.txt allow
	$(step) freeze tests/tools/venv.sh .cache/freeze $(REQUIREMENTS)
	.cache/freeze/bin/python -m pip freeze --all --exclude setuptools > tests/requirements/constraints.txt && rm -r .cache/freeze

clean: lab-stop ## stop the lab and remove all that the Makefile made
	rm -rf .cache .venv
