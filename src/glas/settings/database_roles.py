"""Settings of the roles that `glas migrate` creates in PostgreSQL."""

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import UrlSecret


class DatabaseRoleSettings(BaseModel):
    """Passwords of the roles (users) in PostgreSQL. The name of each role begins with the name of the database."""

    model_config = ConfigDict(frozen=True)

    app_password: UrlSecret | None = Field(
        default=None,
        description="Password of the PostgreSQL role `<database>_app`, with which `db_assist` connects to the "
        "database. If the password is set, `glas migrate` makes the role.",
    )
    work_password: UrlSecret | None = Field(
        default=None,
        description="Password of the PostgreSQL role `<database>_work`, with which `tg_bot` and `data_loader` store "
        "the tasks that must continue after a crash. If the password is set, `glas migrate` makes the role.",
    )
    export_password: UrlSecret | None = Field(
        default=None,
        description="Password of the PostgreSQL role `<database>_export`, which can read only the view "
        "`training_messages`. If the password is set, `glas migrate` makes the role.",
    )
