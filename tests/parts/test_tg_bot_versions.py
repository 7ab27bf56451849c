"""The bot reuses the text of a known file only while the weights that recognised it serve."""

from pathlib import Path

from glas.nn_service.app import create_app
from glas.settings import Settings
from tests.conftest import Sample
from tests.models.swapped import write_weights
from tests.parts.bots import open_house_with

ANNA = 5_300_000_001


async def test_new_weights_under_the_old_name_read_a_known_file_again(
    settings: Settings, tmp_path: Path, samples: list[Sample]
) -> None:
    """No file that is sent after the swap gets a text of the old weights."""
    weights, data = tmp_path / "tiny", samples[0].path.read_bytes()
    write_weights(weights, 0)
    own = settings.model_copy(update={"model": f"onnx:{weights}"})
    app = create_app(own, key=None)
    async with open_house_with(app, own) as (house, http):
        await house.start(ANNA)

        async def recognised() -> float:
            lines = (await http.get("/metrics")).text.splitlines()
            counts = [line for line in lines if line.startswith("glas_recognition_recordings_total{")]
            return sum(float(line.rsplit(maxsplit=1)[1]) for line in counts)

        first = await house.answer(house.telegram.speak(ANNA, data, file_id="one"))
        await house.archived(first)
        known = await house.answer(house.telegram.speak(ANNA, data, file_id="one"))
        assert (known["text"], await recognised()) == (first["text"], 1)
        write_weights(weights, 1)
        (await http.put("/api/ps/auto")).raise_for_status()
        fresh = await house.answer(house.telegram.speak(ANNA, data, file_id="one"))
        assert fresh["text"] != first["text"]
        rows = [await house.row_of(answer) for answer in (first, known, fresh)]
        assert rows[0].model_version == rows[1].model_version != rows[2].model_version
        assert {row.model for row in rows} == {f"onnx:{weights}"}
        served = (await house.services.nn_service.health()).served
        assert served is not None
        assert rows[2].model_version == served.version
