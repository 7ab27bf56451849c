"""Download the champion and the candidates from data_loader, for servers that do not share a directory of models.

data_loader returns the names and versions of the models that servers need. Each missing model is downloaded into a
temporary directory. If the downloaded files have the right version, the temporary directory is moved into the directory
of models and gets the name of the model. Then this module does the same as the command `glas models use`: it stores in
the directory of models which model is the champion. So the server loads the champion.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.http import open_http
from glas.domain.errors import GlasError, ModelLoadError
from glas.domain.model_ref import ModelRef
from glas.engines.catalogue import AUTO, choose, made_here
from glas.engines.folders import written_whole
from glas.engines.versions import ModelVersions
from glas.settings import Settings, plain

_TRY_AGAIN_S: Final = 10.0  # after an error

_log = structlog.stdlib.get_logger("glas.nn_service")


class StoredModels:
    """Downloads the models that data_loader lists, and chooses the champion; only one thread may use this object.

    Nothing is done unless the settings contain the address of data_loader and the token for models, and GLAS_MODEL is
    `auto`.
    """

    def __init__(self, settings: Settings) -> None:
        self._models_dir = settings.models_dir
        self._versions = ModelVersions(settings.models_dir)
        self._runner = asyncio.Runner()
        self._client: DataLoaderClient | None = None
        self._chosen: ModelRef | None = None
        self._not_before_s = 0.0
        token = plain(settings.data_loader.models_token)
        if settings.model == AUTO and settings.data_loader_url is not None and token is not None:
            authority = settings.tls.authority
            self._client = DataLoaderClient(open_http(url=settings.data_loader_url, token=token, authority=authority))

    def follow(self) -> None:
        """Download the models that are missing, and choose the champion if it has changed.

        After an error, the present models stay in use, and the next attempt is made some seconds later.
        """
        if self._client is None or time.monotonic() < self._not_before_s:
            return
        try:
            self._runner.run(self._follow(self._client))
        except GlasError as error:
            _log.error("models cannot be downloaded from data_loader", error=error.message)
        except Exception:  # noqa: BLE001 - logged; an error of one look must not end the following of others
            _log.exception("models cannot be downloaded from data_loader")
        else:
            return
        self._not_before_s = time.monotonic() + _TRY_AGAIN_S

    def close(self) -> None:
        """Close the connection to data_loader."""
        if self._client is not None:
            self._runner.run(self._client.close())
        self._runner.close()

    async def _follow(self, client: DataLoaderClient) -> None:
        models = await client.serving_models()
        if models.champion is not None and models.champion != self._chosen:
            choose(await self._here(client, models.champion), self._models_dir)
            self._chosen = models.champion
        for candidate in models.candidates:
            await self._here(client, candidate)

    async def _here(self, client: DataLoaderClient, model: ModelRef) -> str:
        """Return the name of a model on this server; download the model first if this version is not on the disk.

        Raises:
            ModelLoadError: the downloaded files have another version; or the name of the model contains a path that
                does not end with the name of a directory, such as `/`.
            GlasError: data_loader has no such model, or cannot be reached.
        """
        engine, _, place = model.name.partition(":")
        if not Path(place).is_absolute():
            return model.name  # a model that has a name, which `glas models get` downloads
        here = made_here(model.name, self._models_dir)
        if here is not None and self._versions.version_of(here) == model.version:
            return here
        if (name := Path(place).name) in ("", ".."):
            raise ModelLoadError(f"expected the path of a directory as the model's name, got {place}")
        directory = self._models_dir / name
        with written_whole(directory) as part:
            await client.fetch_model(model.version, part)
            if (came := self._versions.version_in(part)) != model.version:
                raise ModelLoadError(
                    f"expected version {model.version} of {directory.name}, got files of version {came}"
                )
        _log.info("model downloaded from data_loader", model=directory.name, version=model.version)
        return f"{engine}:{directory.resolve()}"
