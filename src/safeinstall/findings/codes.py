"""The registry of codes: every code a finding or an error carries, and what to do about it.

A code is stable and kebab-case; its title is unique; its severity is the one it has unless the
case, a flag or the user's own configuration weighs it otherwise.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from safeinstall.findings import Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeInfo:
    """What one code means."""

    code: str
    title: str
    """A few words; no two codes share them."""
    severity: Severity
    """The usual one."""
    explanation: str
    """One paragraph: what it means, what to do."""


# One entry: code, severity, title; then, indented, the paragraph.
_TEXT: Final = """
ambient-redirect info Settings that lead elsewhere
  Variables or pip's configuration would move a plain install to another place. safeinstall does
  not obey them; other installers do. Unset them if you did not mean them.
bad-report refuse Incomplete report of an interpreter
  An interpreter answered, but not with all that is asked of it. Another version of safeinstall may
  be installed there; use the same one in both places.
breaks-installed confirm Installed packages would lose what they need
  After this change an installed package would have a version of another that it does not accept,
  or none. Take the version that suits everybody where one is offered, or allow the conflict.
build-failed refuse Building from source failed
  There is no wheel for this Python, and the package's own build stopped. The build's reason is
  shown; choose a version that has a wheel, or install what the build asks for.
builds-from-source confirm Code of the package would run now
  There is no ready-made wheel, so the package's own code builds it on this machine. Allow the
  build for packages you trust, or choose a version with a wheel.
busy refuse The panel is still at work
  One change at a time is made to an environment. Wait for the present one to end, or cancel it.
code-missing warning Listed as installed, code gone
  The metadata of a package is there and none of its files is. Install it again, or let the doctor
  set the metadata aside.
command-not-found refuse A program cannot be started
  The program that was to do the work is not there or may not be run. Install it, or name another.
conflict refuse Requirements that exclude each other
  No set of versions meets all that is asked for, or two installed packages disagree. Loosen one of
  the requirements named, or install the line that is offered.
damaged-package refuse A wheel that cannot be read
  The file is damaged, or its download was cut off. Fetch it once more with --force-reinstall.
does-not-start warning An interpreter that does not start
  The environment's Python ends before it answers. Make a new environment, or mend what its message
  names.
duplicate-copy warning Two copies on the import path
  A package lies in several folders that are imported from, and the first one wins. Remove the copy
  you do not want, or take its folder out of PYTHONPATH.
empty-metadata warning Metadata that says nothing
  A metadata folder without METADATA is what an interrupted install leaves. The doctor sets it
  aside.
environment-busy refuse Another program keeps changing the environment
  The environment changed each time a plan for it was ready. Try again when the other one is done.
environment-not-made refuse No environment could be made
  The interpreter or uv stopped while it made an empty environment; its own words are shown.
ephemeral-prefix info Forgotten when the container ends
  The environment is part of a container, your home folder is not. Keep the line in the notebook,
  to be run again, or make an environment in your home folder.
escapes-prefix refuse Files outside the environment
  A package would put files, or links, where no package has any business. Do not install it; report
  it to its makers.
externally-managed refuse An environment of the distributor
  Its packages belong to the operating system's own package manager (PEP 668). Make an environment
  of your own, or use that manager.
extra-index info More than one index
  Packages may come from several indexes, and the highest version of a name wins, whoever offers
  it. Take an index out of the settings if you do not trust it with every name.
failed refuse It could not be done
  Something stopped the operation before anything was changed; the message says what.
file-collision confirm A file that is there already
  What comes would write over a file of another package, or of nobody. Files of nobody are set
  aside and come back with undo; a file of another package is never touched.
file-missing refuse Nothing at the place named
  The path or address that was given leads nowhere. Look at its spelling.
file-option refuse An option that a file asks for
  A requirements file would decide where packages come from. Type the option yourself if you want
  it.
files-missing warning Files of a package are gone
  Some files that the package's RECORD lists are not on disk. Install it again.
foreign-owner refuse Somebody else's to change
  The files belong to conda, apt, another user or another environment, which would not notice the
  change. Let the owner do it, by the line that is offered.
foreign-shebang warning Scripts that start another environment
  A script of this environment starts the interpreter of another one. The doctor rewrites its first
  line.
from-file-only confirm A place that was not typed
  A file asks for a URL, a repository or a folder, which fetches and often runs code from there.
  Look at the place, and accept it if you know it.
half-changed refuse The environment is half-changed
  Moving packages failed, and so did putting them back. Run recover before anything else: the
  journal knows every file.
hash-mismatch refuse Another file than was asked for
  A downloaded file does not have the hash that was given. Do not install it until you know why.
incomplete-download refuse A download that was cut off
  The connection ended before the file did. Try again.
index-error refuse The package index answered with an error
  The index was reached and did not do as asked. Try again later, or ask who runs it.
index-refused refuse The index wants other credentials
  User name, password or token are missing or wrong for this index. Put the right ones where your
  settings name the index.
index-unreachable refuse The index cannot be reached
  No connection to the package index came about. Look at network, proxy and the index's address.
index-untrusted refuse A certificate that is not trusted
  The index proves who it is with a certificate nobody here knows. PIP_CERT names the file of those
  that are trusted.
installer-failed refuse The installer stopped
  uv, pip or conda ended with an error that is none of the known ones; its own words are shown.
internal refuse An error of safeinstall itself
  This should not happen. Nothing is known to be changed; please report the words that are shown.
interrupted refuse Stopped by you
  The operation was interrupted, and nothing is changed. Run it again when you like.
journal-unreadable refuse The journal of a transaction cannot be read
  The file that says what was moved is damaged or of a version that is not known. Nothing is
  touched; use the safeinstall that wrote it.
kernel-does-not-start warning A kernel that does not start
  The kernel was started once and gave no answer; the end of what it said is shown.
kernel-stack refuse What the kernel itself runs on
  The change concerns ipykernel or something it needs, and the kernel might not start again. Use a
  new environment, or allow it: it is put back unless a second kernel answers.
kernelspec-broken warning A kernel file that says nothing
  kernel.json cannot be read or lacks what a server needs. Repair the kernel: the old file is kept.
kernelspec-dangling warning A kernel whose program is gone
  The program the kernel would start is not there. Repair the kernel, or remove it.
kernelspec-follows-server warning A kernel that changes with the server
  The kernel starts the interpreter of whichever server opens the notebook. Repair it to pin the
  one you mean.
kernelspec-hidden info A kernel behind another one
  Another kernel of this name comes first, so this one is never used. Rename one of them.
kernelspec-misnamed warning A kernel of another Python than it says
  The name speaks of one Python version and another one starts. Repair the kernel.
kernelspec-no-answer warning A kernel that is no Python
  The program the kernel starts does not answer as a Python would. Repair the kernel.
kernelspec-no-connection warning A kernel that nobody can reach
  Its command does not hand over the connection file. Repair the kernel.
kernelspec-no-ipykernel warning A kernel without ipykernel
  The interpreter is there and has no ipykernel, so the kernel cannot start. Install it there.
kernelspec-not-written refuse A kernel that cannot be registered
  The folder for kernels cannot be written. Free it, or set JUPYTER_DATA_DIR to one you may write.
kernelspec-on-path warning A kernel found by PATH
  The kernel starts whichever program of that name the server's PATH shows first. Repair the
  kernel.
kernelspec-relative warning A kernel with a relative path
  Which program starts depends on the folder the notebook lies in. Repair the kernel.
leftover warning What a killed installer left
  A folder in the midst of the packages belongs to an install that never ended. The doctor sets it
  aside.
loader refuse The panel's code did not get into the kernel
  The kernel could not take the panel's code. Restart the kernel, or install safeinstall in it.
local-build-replaced confirm A special build would be lost
  The installed version was made for this machine (a CUDA build, say), the new one is the plain
  one. Keep it by the line that is offered, or take the plain build.
locked refuse Another install is at work here
  Another safeinstall holds this environment. Wait, or look for the process that is named.
low-space warning Hardly any room left
  The disk that holds the environment is almost full. What is kept for undo can be forgotten.
moved-environment warning An environment that was moved
  Its activate scripts name the place where it was made. The doctor rewrites them, or make a new
  one.
name-trap confirm Probably another name
  The name is an import name, a module of Python itself, or one letter away from a popular package.
  Take the name that is offered, or confirm that you mean this one.
no-environment refuse An interpreter that cannot be asked
  The interpreter gave no report about its environment. Look at the reason that is shown.
no-folder refuse The working folder is gone
  The folder that this was started in has been deleted. Start from another one.
no-installer refuse No installer serves this environment
  Neither uv nor a pip of 22.3 or newer, nor the conda asked for, is found. Install uv beside
  safeinstall, or put pip into the environment.
no-method refuse A question this kernel cannot answer
  The panel and the code in the kernel are of different versions. Restart the kernel.
no-processes refuse A kernel in the browser
  No process can be started there, and so no installer. Use the browser's own %pip.
no-record refuse Nobody knows its files
  The package has no list of its files, so it cannot be replaced or removed safely. Install it
  again with its own installer, or use a new environment.
no-space refuse The disk is full
  There is no room for what is to be unpacked. Free some; nothing was changed.
no-such-python refuse No such Python on this machine
  No interpreter of that version or at that path is found. Those that are there are listed.
no-such-version refuse No such version
  The package exists and has no version like that where the installer looks. The nearest are named.
not-a-python refuse No Python there
  What was named is not there, or does not answer as a Python 3.8 or newer would.
not-for-conda refuse Nothing conda can install
  URLs, extras, hashes and markers are PyPI's. Leave conda out (--installer auto) for this one.
not-found refuse No such package
  The name is not known where the installer looks. Look at its spelling, and at the index in use.
not-fresh refuse A new process cannot import it
  After the install a process of this Python could not import what was installed; it was put back.
not-importable refuse Installed where nobody looks
  This interpreter does not import from the folder packages would go to. Use a new environment.
not-installed info Not installed here
  What is to be removed is not there; nothing is done about it.
not-landed refuse Not what was unpacked
  After the install the files are others than those unpacked: another program wrote there
  meanwhile.
not-offline refuse Not in the cache, and offline
  The network is switched off and the cache does not have the package. Allow the network.
not-on-path warning A folder the kernel does not look into
  Packages lie in a folder that came after the kernel started, or that it does not import from. Let
  the panel add it, or restart the kernel.
not-readable warning Metadata that you may not read
  The permissions of a package keep you from looking at it. The line that opens it is shown.
not-writable refuse You may not write there
  The environment belongs to somebody else. Make one of your own, or one laid over this one.
nothing-to-undo refuse Nothing to undo
  safeinstall has changed nothing in this environment, or has forgotten it.
option-conflict refuse Options that exclude each other
  Two of the options, or an option and the environment, do not go together. The message says which.
other-destination refuse Where this kernel does not look
  The option would install into a place that this kernel does not import from. Leave it out.
other-interpreter info Another Python on PATH
  pip, python or python3 in a terminal are not this kernel's. Use %safeinstall in the notebook.
path-file-unread warning A path file that came too late
  A .pth file came after the kernel started, so what it leads to is not imported. Let the panel
  read it, or restart the kernel.
pip-outdated info An old pip
  A pip before 22.3 cannot say beforehand what it would do. Upgrade it where it can be upgraded.
pixi-project refuse A project of pixi
  pixi keeps a manifest of its own and would undo the change. Use the pixi line that is offered.
place-not-writable refuse No environment can be made there
  The folder cannot be written. Choose another place.
place-taken refuse Something is there already
  Where the environment was to be made there is one already, or something else. Choose another
  name.
prerelease warning A pre-release
  Nobody asked for one, and no finished version meets the requirements. Pin another version if
  there is one that you want.
python-home warning PYTHONHOME is set
  It makes every Python look for its library in one place. Start Jupyter without it.
python-too-old refuse Another Python is needed
  The package, or a kernel of today, needs another Python than this one. A new environment of a
  Python that is here is offered.
record-mismatch refuse Not what its RECORD says
  Files of a package differ from its own list of them: damaged, edited or overwritten. Install it
  again; a package that comes so is not installed.
recovered info An interrupted install was put right
  A transaction that had been cut off was finished or taken back first.
replaces-loaded warning Loaded modules become stale
  The kernel has loaded what is replaced, and goes on with the old code. Restart it afterwards.
repository-missing refuse No repository there
  The address of the repository leads nowhere. Look at its spelling, and whether you may see it.
repository-unreachable refuse The repository cannot be reached
  git could not connect. Look at network, proxy and address.
requirement-missing warning A requirement that is not installed
  An installed package needs another one that is not there. Install it by the line that is shown.
reserved-script refuse A script that is part of the environment
  The package brings a program named python, pip or activate, which would replace the environment's
  own. Do not install it.
shadowed warning Another copy is imported
  A file or folder earlier on the import path has the same name and wins. Rename it or move it
  away.
shadows-standard-library warning In front of Python's own modules
  A file has the name of a module of the standard library, which other packages may then get
  instead. Rename it.
shared-environment warning Other kernels use this environment
  They go on with the old code until they are restarted.
stale-shebang warning Scripts that start nothing
  A script names an interpreter that is gone. The doctor lets it start this environment's own.
startup-code confirm Code that runs with every Python
  The package brings a .pth file or sitecustomize, which runs whenever this Python starts. Look at
  it, and allow it if you trust the package.
system-changed warning Programs of the system see it
  The install goes into the Python that programs of the operating system use. An environment of
  your own would not concern them.
system-error refuse The system did not go along
  The operating system refused a call (permissions, space, open files); nothing was changed.
timeout refuse No answer in time
  A program that was asked did not answer. Try again, or look at what it is waiting for.
too-big confirm Very large, or a zip bomb
  Unpacked it takes more room than a package should. Confirm if you expect that.
transaction-failed refuse A change that was taken back
  Moving the packages failed and everything was put back; the environment is as before.
two-versions warning One package, listed twice
  An upgrade was cut off between its halves. The doctor sets the incomplete one aside, or install
  the package again.
undo-by-conda info Undo is conda's
  What conda did is in conda's own history; the line that goes back is shown.
undo-refused refuse It cannot be undone like this
  Later changes rest on it, or what was replaced is no longer kept. The message says what to undo
  first.
unfinished-environment warning An environment that was never finished
  safeinstall died while it made this environment. Remove the folder and make it again.
unfinished-transaction warning An install that was cut off
  A transaction waits to be finished or taken back: recover does it.
unknown-layout refuse A layout that is not known
  This environment keeps its packages otherwise than installers unpack them. Use another
  environment.
unknown-report refuse An installer of another version
  The installer's answer is in a format that is not known. Upgrade uv or pip.
unsafe-area refuse The folder of transactions cannot be trusted
  .safeinstall in the environment is a link, or belongs to somebody else. Look at it before going
  on.
usage refuse Not understood
  What was typed cannot be read or is not allowed; nothing was done. The line to type is shown.
user-site-first info The user site comes first
  A copy in your user site wins over what is installed in this environment.
user-site-leaks warning Other projects see it too
  Every Python of this version that looks at your user site imports what is installed there, in
  front of its own packages.
virtualenv-required refuse Only into virtual environments
  Your pip settings ask for a virtual environment (require-virtualenv), and this is none. Make one.
wrong-home warning The base Python is gone
  The environment rests on a Python that is not there any more. The doctor lets it use another of
  the same version, or make a new one.
wrong-platform refuse Made for another platform
  No wheel fits this Python and machine. Choose another version, or another Python.
yanked warning Taken back by its makers
  The version was withdrawn from the index, for the reason shown. Choose another unless you need
  it.
"""


def _read(text: str) -> Mapping[str, CodeInfo]:
    found: dict[str, CodeInfo] = {}
    for entry in text.strip().replace("\n  ", "\0").splitlines():
        head, *paragraph = entry.split("\0")
        code, severity, title = head.split(" ", 2)
        found[code] = CodeInfo(
            code=code, title=title, severity=Severity(severity), explanation=" ".join(paragraph)
        )
    return MappingProxyType(found)


CODES: Final[Mapping[str, CodeInfo]] = _read(_TEXT)
"""Every code there is, in alphabetical order."""


def closest_code(code: str) -> str:
    """Return the code that a wrong one is most like."""
    found = difflib.get_close_matches(code, CODES, n=1, cutoff=0.0)
    return found[0]
