"""What can go wrong, and whether trying again helps.

AvmError
├── Terminal                 a retry gives the same failure: fix the input or the settings
│   ├── BadMedia             the file cannot be read as audio or video
│   ├── MediaVanished        the object was deleted between listing and download
│   ├── MediaChanged         the object was replaced between listing and the end of its download
│   ├── BadMetadata          a manifest, sidecar or object metadata says what cannot be
│   ├── MassDeletion         most of a role's media is missing from a listing: surely a mistake
│   ├── BadSettings          a setting, argument or input file is wrong
│   ├── AccessDenied         the object store refused the credentials
│   ├── BucketMissing        the bucket does not exist
│   ├── ObjectMissing        the object does not exist
│   ├── ChecksumMismatch     an artefact differs from what its manifest says
│   ├── IndexMismatch        vectors of one fingerprinter meet an index of another
│   └── CheckFailed          rows break a rule, or something waits or fails too much
└── Transient                the same call may succeed later
    ├── StoreUnavailable     the object store does not answer
    ├── PreconditionFailed   a conditional write lost the race
    ├── DeviceBusy           every device of this host is at work for other tasks
    └── CatalogConflict      another writer committed first, retries used up

Every message says what happened and what to do about it. `error_class` of a `media_error`
row is the class name here, so the names are part of the catalog's public face.
"""


class AvmError(Exception):
    """Base of every failure that AVM raises on purpose."""


class Terminal(AvmError):
    """A retry cannot help."""


class Transient(AvmError):
    """A retry may help."""


class BadMedia(Terminal):
    """The bytes are not playable audio or video."""


class MediaVanished(Terminal):
    """The object was listed but is gone."""


class MediaChanged(Terminal):
    """The object is not the version that was listed."""


class BadMetadata(Terminal):
    """What is said about a media is not what its field takes."""


class MassDeletion(Terminal):
    """More media is missing from a listing than anyone deletes by intention."""


class BadSettings(Terminal):
    """A setting, an argument or an input file is wrong."""


class AccessDenied(Terminal):
    """The object store refused the credentials."""


class BucketMissing(Terminal):
    """The bucket does not exist."""


class ObjectMissing(Terminal):
    """The object does not exist."""


class ChecksumMismatch(Terminal):
    """An artefact's bytes differ from its recorded sha256."""


class IndexMismatch(Terminal):
    """Descriptors and index come from different fingerprinters."""


class CheckFailed(Terminal):
    """The catalog or the flow of media is not as it should be."""


class StoreUnavailable(Transient):
    """The object store does not answer."""


class PreconditionFailed(Transient):
    """A conditional write found another version than expected."""


class DeviceBusy(Transient):
    """No device of this host became free in time."""


class CatalogConflict(Transient):
    """The catalog stayed busy through all retries."""
