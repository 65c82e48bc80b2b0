"""An operator that people could write, with kopf: a ConfigMap for each Widget, and a status. Run by kopf itself."""

import kopf


@kopf.on.startup()
def configure(settings, **_):
    settings.posting.enabled = True
    settings.persistence.finalizer = "example.com/kopf"


@kopf.on.create("ex.io", "v1", "widgets")
async def created(spec, name, patch, memo, **_):
    patch.status["phase"] = f"size {spec['size']}"
    return {"seen": name}


@kopf.on.update("ex.io", "v1", "widgets", field="spec.size")
async def resized(old, new, patch, **_):
    patch.status["phase"] = f"from {old} to {new}"


@kopf.on.delete("ex.io", "v1", "widgets")
async def deleted(logger, **_):
    logger.info("good bye")
