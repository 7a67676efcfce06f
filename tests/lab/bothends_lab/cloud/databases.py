# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the cloud's databases: `python -m bothends_lab.cloud.databases keystone|neutron sqlite|mariadb`.

SQLite's are prepared once and copied by every start; MariaDB's are made at each. Each service runs as a process of its
own, since keystone and neutron share one global configuration object.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import secrets
import shutil
import sqlite3
import sys
import uuid
from pathlib import Path

from ..layout import Layout
from . import configuration, mariadb
from .accounts import ADMIN, CLOUDS, NEUTRON, REGION

PASSWORDS = "passwords.json"
_NEUTRON_SERVICE, _KEYSTONE_SERVICE = "neutron", "keystone"


# How long a service waits for SQLite's one writer, in seconds.
_PATIENCE = {"keystone": 20, "neutron": 5}


def url(layout: Layout, kind: str, service: str, directory: Path) -> str:
    """What SQLAlchemy calls a service's database."""
    if kind == "mariadb":
        return mariadb.url(layout, service)
    return f"sqlite:///{directory}/{service}.sqlite?timeout={_PATIENCE[service]}"


def prepared(layout: Layout, kind: str) -> Path:
    """Where that is made which a start copies: with MariaDB only the keys and passwords, and for this start only."""
    return layout.template if kind == "sqlite" else layout.run / "template"


def make_keystone(layout: Layout, directory: Path, database: str) -> None:
    """Creates keystone's tables by its own migrations, its keys, and the projects, users and services."""
    config = configuration.write(layout, "keystone", directory, database=database)
    sys.argv = ["keystone"]  # keystone's configuration reads it

    import keystone.server
    from keystone.cmd.bootstrap import Bootstrapper
    from keystone.common import fernet_utils, provider_api
    from keystone.common.sql import upgrades

    keystone.server.configure(config_files=[str(config)])
    upgrades.offline_sync_database_to_version()
    for repository, group in (("fernet-keys", "fernet_tokens"), ("credential-keys", "credential")):
        keys = fernet_utils.FernetUtils(str(directory / repository), 3, group)
        keys.create_key_directory()
        keys.initialize_key_repository()

    passwords = {account.user: secrets.token_urlsafe(12) for account in (NEUTRON, *CLOUDS.values())}
    bootstrap = Bootstrapper()
    bootstrap.admin_username, bootstrap.admin_password = ADMIN.user, passwords[ADMIN.user]
    bootstrap.project_name, bootstrap.admin_role_name = ADMIN.project, "admin"
    bootstrap.service_name, bootstrap.region_id = _KEYSTONE_SERVICE, REGION
    bootstrap.public_url = bootstrap.internal_url = bootstrap.admin_url = "set at the start"
    bootstrap.bootstrap()

    api = provider_api.ProviderAPIs
    domain = bootstrap.default_domain_id
    roles = {role["name"]: role["id"] for role in api.role_api.list_roles()}
    projects = {ADMIN.project: bootstrap.project_id}
    for account in (NEUTRON, *CLOUDS.values()):
        if account == ADMIN:
            continue
        if account.project not in projects:
            project = {"id": uuid.uuid4().hex, "name": account.project, "domain_id": domain, "enabled": True}
            projects[account.project] = api.resource_api.create_project(project["id"], project)["id"]
        user = api.identity_api.create_user(
            {"name": account.user, "password": passwords[account.user], "domain_id": domain, "enabled": True}
        )
        for role in account.roles:
            api.assignment_api.add_role_to_user_and_project(user["id"], projects[account.project], roles[role])

    service = {"id": uuid.uuid4().hex, "type": "network", "name": _NEUTRON_SERVICE, "enabled": True}
    api.catalog_api.create_service(service["id"], service)
    for interface in ("public", "internal", "admin"):
        endpoint = {
            "id": uuid.uuid4().hex,
            "service_id": service["id"],
            "interface": interface,
            "enabled": True,
            "region_id": REGION,
            "url": "set at the start",
        }
        api.catalog_api.create_endpoint(endpoint["id"], endpoint)

    path = directory / PASSWORDS
    path.touch(mode=0o600)
    path.write_text(json.dumps(passwords))


def make_neutron(database: str) -> None:
    """Creates neutron's tables from its models, since its migrations can't run on SQLite.

    One migration also puts rows in: the rules that every new security group begins with.
    """
    import sqlalchemy
    from neutron.db import migration
    from neutron.db.migration.models import head as _neutron_models  # noqa: F401
    from neutron_lib.db import model_base
    from neutron_vpnaas.db.models import head as _vpnaas_models  # noqa: F401

    engine = sqlalchemy.create_engine(database)
    metadata = model_base.BASEV2.metadata
    metadata.create_all(engine)

    name = "security_group_default_rules"
    source = next(Path(migration.__file__).parent.glob(f"alembic_migrations/versions/*/expand/*_{name}.py"))
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rules, attributes = metadata.tables[module.table_name], metadata.tables["standardattributes"]
    with engine.begin() as connection:
        for template in module.default_template_rules:
            values = {key: value for key, value in template.items() if key != "description"}
            common = connection.execute(
                attributes.insert().values(
                    resource_type=module.table_name, description=template["description"], revision_number=0
                )
            )
            connection.execute(rules.insert().values(standard_attr_id=common.inserted_primary_key[0], **values))
    engine.dispose()


def copy(layout: Layout, kind: str, directory: Path, keystone_url: str, neutron_url: str) -> dict[str, str]:
    """Copies the prepared databases and keys for one run of the cloud; returns the passwords by user."""
    for name in ("keystone", "neutron"):
        shutil.copytree(prepared(layout, kind) / name, directory, dirs_exist_ok=True)
    if kind == "sqlite":
        for name in ("keystone", "neutron"):
            with contextlib.closing(sqlite3.connect(directory / f"{name}.sqlite")) as database:
                database.execute("PRAGMA journal_mode=WAL")  # readers don't wait for a writer
        opened, mark = sqlite3.connect(directory / "keystone.sqlite"), "?"
    else:
        opened, mark = mariadb.connect(layout, "keystone"), "%s"
    urls = {_KEYSTONE_SERVICE: keystone_url, _NEUTRON_SERVICE: neutron_url}
    with contextlib.closing(opened) as database:
        cursor = database.cursor()
        cursor.execute("SELECT id, extra FROM service")
        for service, extra in cursor.fetchall():
            cursor.execute(
                f"UPDATE endpoint SET url = {mark} WHERE service_id = {mark}",
                (urls[json.loads(extra)["name"]], service),
            )
        database.commit()
    return json.loads((directory / PASSWORDS).read_text())


def main() -> None:
    """Makes one template; a template that was cut off in the making has no final name."""
    layout, (service, kind) = Layout(), sys.argv[1:]
    final = prepared(layout, kind) / service
    making = final.with_name(f"{service}.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    database = url(layout, kind, service, making)
    if service == "keystone":
        make_keystone(layout, making, database)
    else:
        make_neutron(database)
    shutil.rmtree(final, ignore_errors=True)
    making.rename(final)


if __name__ == "__main__":
    main()
