"""The methods of the data_loader client for models in the object store: store a model, download it into a directory."""

import asyncio
import hashlib
from pathlib import Path

import httpx

from glas.clients.http import call, exchange
from glas.clients.stored_model_bodies import PART_BYTES, ModelFile, ModelFiles, ServingModels
from glas.domain.errors import ServiceFaultError

_TIMEOUT_S = 60.0
_LOOK_TIMEOUT_S = 5.0


class StoredModelCalls:
    """Store the files of models in the object store, and download these files."""

    _http: httpx.AsyncClient

    async def serving_models(self) -> ServingModels:
        """Return the models that every server of nn_service must have on its disk."""
        return ServingModels.model_validate(await call(self._http, "GET", "/models", timeout_s=_LOOK_TIMEOUT_S))

    async def store_model(self, version: str, directory: Path) -> None:
        """Store the files of a model; a repeated call changes nothing.

        Args:
            version: version of the model, a hash over its files.
            directory: directory of the model. Files whose name begins with a dot are left out.
        """
        paths = await asyncio.to_thread(_files, directory)
        files = [ModelFile(path=name, parts=await self._store_parts(version, path)) for name, path in paths.items()]
        body = ModelFiles(files=tuple(files))
        await call(self._http, "PUT", f"/models/{version}", timeout_s=_TIMEOUT_S, body=body)

    async def stored_files(self, version: str) -> ModelFiles:
        """Return the list of a stored model's files.

        Raises:
            NotFoundError: no model of this version is stored.
        """
        return ModelFiles.model_validate(await call(self._http, "GET", f"/models/{version}", timeout_s=_TIMEOUT_S))

    async def fetch_model(self, version: str, directory: Path) -> None:
        """Write the files of a stored model into an empty directory.

        Raises:
            NotFoundError: no model of this version is stored.
            ServiceFaultError: the sha256 of a downloaded part is not the one in the list of files.
        """
        for one in (await self.stored_files(version)).files:
            path = directory / one.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for sha256 in one.parts:
                    await asyncio.to_thread(file.write, await self._fetch_part(version, sha256))

    async def _store_parts(self, version: str, path: Path) -> tuple[str, ...]:
        found = []
        with path.open("rb") as file:
            while part := await asyncio.to_thread(file.read, PART_BYTES):
                sha256 = hashlib.sha256(part).hexdigest()
                place = f"/models/{version}/parts/{sha256}"
                await exchange(self._http, "PUT", place, timeout_s=_TIMEOUT_S, content=part)
                found.append(sha256)
        return tuple(found)

    async def _fetch_part(self, version: str, sha256: str) -> bytes:
        place = f"/models/{version}/parts/{sha256}"
        part = (await exchange(self._http, "GET", place, timeout_s=_TIMEOUT_S)).content
        if (came := hashlib.sha256(part).hexdigest()) != sha256:
            raise ServiceFaultError(f"expected the part {sha256[:12]}… of the model {version}, got {came[:12]}…")
        return part


def _files(directory: Path) -> dict[str, Path]:
    """Return the files in a directory by their paths in it; leave out paths with a name that begins with a dot."""
    found = {path.relative_to(directory): path for path in sorted(directory.rglob("*")) if path.is_file()}
    return {name.as_posix(): path for name, path in found.items() if not any(one.startswith(".") for one in name.parts)}
