"""What a page's RTCPeerConnections tell of its calls."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.harness.pipeline import eventually

REMEMBER_CONNECTIONS = """(() => {
    const Real = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Real {
        constructor(...all) { super(...all); window.connections.push(this); }
    };
})();"""
"""To run before a page's own scripts; the rest needs it."""

_RECEIVED = """async () => {
    const got = { frames: 0, energy: 0 };
    (await window.connections.at(-1).getStats()).forEach((item) => {
        if (item.type !== "inbound-rtp") return;
        if (item.kind === "video") got.frames += item.framesDecoded;
        else got.energy += item.totalAudioEnergy;
    });
    return got;
}"""
_OWN_END = """async () => {
    const stats = await window.connections.at(-1).getStats();
    const transport = [...stats.values()].find(({ type }) => type === "transport");
    const pair = stats.get(transport.selectedCandidatePairId);
    return stats.get(pair.localCandidateId).candidateType;
}"""


def expect_growth(*pages: Page) -> None:
    """Each decodes more pictures, and sound that is no silence."""
    before = [_received(page) for page in pages]

    def grown() -> bool:
        now = [_received(page) for page in pages]
        return all(
            new["frames"] > old["frames"] + 5 and new["energy"] > old["energy"]
            for new, old in zip(now, before, strict=True)
        )

    eventually("frames and sound of the other side", grown, 60)


def own_end(page: Page) -> str:
    """What kind of address a page's own browser sends from: `host`, `srflx`, `prflx` or `relay`.
    The other side may know a relay's address from its packets alone, hence as `prflx`."""
    return str(page.evaluate(_OWN_END))


def _received(page: Page) -> dict[str, float]:
    got: dict[str, float] = page.evaluate(_RECEIVED)
    return got
