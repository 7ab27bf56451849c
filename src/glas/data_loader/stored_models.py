"""Store models in the object store and return them, and define the routes for this.

If a server of nn_service does not share a directory of models with other servers, the server downloads its models with
these routes. Such a server sends a separate token (GLAS_DATA_LOADER__MODELS_TOKEN), which permits only downloads with
these routes. The reason is that the server decodes untrusted files, so an attacker could take the server over.
"""

import asyncio
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from glas.clients.db_assist import DbAssistClient
from glas.clients.stored_model_bodies import PART_BYTES, ModelFiles, ServingModels
from glas.data_loader.archive import received
from glas.domain.errors import ConflictError, InvalidParameterError, NotFoundError
from glas.domain.model_records import ModelState
from glas.domain.model_ref import VERSION_PATTERN
from glas.domain.object_keys import files_key, part_key
from glas.s3 import Data, Store

PREFIX: Final = "/models"

VersionPath = Annotated[str, Path(pattern=f"^{VERSION_PATTERN}$", description="Version of the model's weights.")]
Sha256Path = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the part.")]


class StoredModels:
    """The models in the object store.

    A model counts as stored as soon as the list of its files is stored, because the list is written last.

    Args:
        store: the object store.
        db_assist: client of db_assist, which returns the champion and the candidates.
    """

    def __init__(self, store: Store, db_assist: DbAssistClient) -> None:
        self._store, self._db_assist = store, db_assist

    async def serving(self) -> ServingModels:
        """Return the champion and the candidates.

        Raises:
            ServiceError: db_assist cannot be reached.
        """
        champions = await self._db_assist.models(ModelState.CHAMPION)
        candidates = await self._db_assist.models(ModelState.CANDIDATE)
        return ServingModels(
            champion=champions[0].ref if champions else None, candidates=tuple(one.ref for one in candidates)
        )

    async def put_part(self, version: str, sha256: str, data: Data) -> None:
        """Store a part of a file.

        Raises:
            InvalidParameterError: the part is too large, or has another sha256.
        """
        came = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        if came != sha256 or len(data) > PART_BYTES:
            raise InvalidParameterError(
                f"expected at most {PART_BYTES} bytes with sha256 {sha256[:12]}…, got {len(data)} with {came[:12]}…",
                param="sha256",
            )
        await self._store.put(part_key(version, sha256), data)

    async def part(self, version: str, sha256: str) -> bytes:
        """Return a part of a file.

        Raises:
            NotFoundError: no such part is stored.
        """
        return await self._whole(part_key(version, sha256))

    async def put_files(self, version: str, files: ModelFiles) -> None:
        """Store the list of a model's files; all parts of the files must be stored already.

        Raises:
            ConflictError: a part is not stored, or another list is stored for this version.
        """
        for sha256 in {sha256 for file in files.files for sha256 in file.parts}:
            try:
                await self._store.size(part_key(version, sha256))
            except NotFoundError as error:
                raise ConflictError(
                    f"expected all parts to be stored first, {sha256[:12]}… is not", param="files"
                ) from error
        await self._store.put(files_key(version), files.model_dump_json().encode())

    async def files(self, version: str) -> ModelFiles:
        """Return the list of a model's files.

        Raises:
            NotFoundError: no model of this version is stored.
        """
        return ModelFiles.model_validate_json(await self._whole(files_key(version)))

    async def _whole(self, key: str) -> bytes:
        return b"".join([part async for part in self._store.stream(key)])


def make_router() -> APIRouter:
    """Make the router; it needs a `StoredModels` in `app.state`."""
    router = APIRouter(prefix=PREFIX, max_body_size=PART_BYTES)
    path, summary = "", "Show which models every server must have: the champion and the candidates"
    router.add_api_route(path, serving, methods=["GET"], summary=summary)
    path, summary = "/{version}", "Store the list of a model's files, after all parts of the files"
    router.add_api_route(path, put_files, methods=["PUT"], summary=summary)
    router.add_api_route(path, files, methods=["GET"], summary="Show the files of a stored model")
    path, summary = "/{version}/parts/{sha256}", "Store a part of a model's file"
    body = {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
    router.add_api_route(path, put_part, methods=["PUT"], summary=summary, openapi_extra={"requestBody": body})
    summary = "Read a part of a model's file"
    router.add_api_route(path, part, methods=["GET"], summary=summary, response_class=Response)
    return router


async def serving(request: Request) -> ServingModels:
    """Return the models that every server of nn_service must have: the champion and the candidates."""
    return await _models(request).serving()


async def put_files(request: Request, version: VersionPath, body: ModelFiles) -> dict[str, str]:
    """Store the list of a model's files; after this request, servers can download the model."""
    await _models(request).put_files(version, body)
    return {"status": "stored"}


async def files(request: Request, version: VersionPath) -> ModelFiles:
    """Return the list of a model's files; for each file, the list contains the hashes of the parts."""
    return await _models(request).files(version)


async def put_part(request: Request, version: VersionPath, sha256: Sha256Path) -> dict[str, str]:
    """Store the body as a part of a model's files; the body must have the sha256 that the path contains."""
    async with received(request) as data:
        await _models(request).put_part(version, sha256, data)
    return {"status": "stored"}


async def part(request: Request, version: VersionPath, sha256: Sha256Path) -> Response:
    """Send one part of a model's files."""
    return Response(await _models(request).part(version, sha256), media_type="application/octet-stream")


def _models(request: Request) -> StoredModels:
    models: StoredModels = request.app.state.stored_models
    return models
