"""The trained audio networks: the one that a configuration or a weights file asks for."""

from __future__ import annotations

from pathlib import Path

from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.models.audio_encoder import AudioEncoder, EncoderConfig, StreamEncoder
from avm_core.models.checkpoint import read_weights
from avm_core.models.window_encoder import WindowConfig, WindowEncoder, WindowStream

NetworkConfig = EncoderConfig | WindowConfig
AudioNetwork = AudioEncoder | WindowEncoder

# A configuration and a card have the section of one of them.
CONFIGS: dict[str, type[EncoderConfig] | type[WindowConfig]] = {
    kind.section: kind for kind in (EncoderConfig, WindowConfig)
}


def new_network(config: NetworkConfig) -> AudioNetwork:
    """With random weights."""
    return AudioEncoder(config) if isinstance(config, EncoderConfig) else WindowEncoder(config)


def load_network(path: Path, sha256: str | None = None) -> AudioNetwork:
    """The network of a weights file, as its own card describes it. Raises as `read_weights`."""
    tensors, card = read_weights(path, sha256)
    section = next((name for name in CONFIGS if name in card), None)
    if section is None:
        raise ChecksumMismatch(f"{path.name} holds no audio network")
    network = new_network(CONFIGS[section].from_dict(card[section]))
    network.load_state_dict(tensors)
    return network


def stream_of(
    network: AudioNetwork, device: str = "cpu", window: float | None = None
) -> StreamEncoder | WindowStream:
    """What runs the network over a stream; `window` in seconds instead of the configured one.
    Raises `BadSettings` if the network's windows have one length."""
    if isinstance(network, AudioEncoder):
        return StreamEncoder(network, device, window=window)
    if window is not None:
        raise BadSettings(f"{network.config.name} has windows of one length: do not give another")
    return WindowStream(network, device)
