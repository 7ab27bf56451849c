"""The settings of TLS between the parts."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TlsSettings(BaseModel):
    """Settings of encrypted connections between parts in different processes."""

    model_config = ConfigDict(frozen=True)

    certificate: Path | None = Field(
        default=None,
        description="File (PEM) with the certificate of this server and the certificates between it and the authority. "
        "If it is set, all ports of this process accept only TLS. A new certificate is used after a restart.",
    )
    key: Path | None = Field(
        default=None, description="File (PEM) with the private key that belongs to GLAS_TLS__CERTIFICATE."
    )
    authority: Path | None = Field(
        default=None,
        description="File (PEM) with the certificates of your own certificate authority. Calls to other parts over "
        "https accept servers that this authority or a public authority has certified.",
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected both a certificate and a key, or neither")
        return self
