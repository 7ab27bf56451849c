"""Store models in the object store; servers without a common directory of models download the models from there."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glas.domain.model_ref import ModelRef
    from glas.settings import Settings


def store(settings: "Settings", model: "ModelRef") -> None:
    """Store the files of a model from the directory of models; call this before other servers use the model.

    Nothing is done if the settings contain no token for models (GLAS_DATA_LOADER__MODELS_TOKEN). Nothing is done either
    for a model that `glas models get` can download.

    Raises:
        GlasError: data_loader does not answer.
    """
    from glas.launch.assembly import open_data_loader

    directory = Path(model.name.partition(":")[2])
    if settings.data_loader.models_token is None or not directory.is_absolute():
        return

    async def stored() -> None:
        async with open_data_loader(settings) as data_loader:
            await data_loader.store_model(model.version, directory)

    asyncio.run(stored())
