//! Where control sockets lie, and how a running host is found. Used by the server and by clients.
//!
//! Every host has an entry in one folder of its user: its socket, or a link to it where app.toml puts it elsewhere. So a
//! client that is told nothing finds all of them.
//!
//! Must hold: nobody but the user can put something into the folder; a socket is there for others only when it takes
//! connections, so one that refuses them is of a host that is gone, and may be removed by whoever sees it.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// What an entry's name ends with.
const END: &str = ".sock";
/// Bytes of a token, written in hex.
const TOKEN: usize = 32;
/// Longest token of a user's own choice.
const TOKEN_MAX: u64 = 4096;

/// The user's folder; it may not be there.
pub fn folder() -> PathBuf {
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    given.map_or_else(|| std::env::temp_dir().join(format!("wasmactor-{}", user())), |path| path.join("wasmactor"))
}

fn user() -> u32 {
    #[expect(unsafe_code, reason = "std has no call for it")]
    // SAFETY: geteuid(2) takes nothing and cannot fail.
    unsafe {
        libc::geteuid()
    }
}

/// The entry of this process in the folder, for an app of this name.
pub(super) fn entry(folder: &Path, app: &str) -> PathBuf {
    folder.join(format!("{}-{}{END}", app.replace('/', "+"), std::process::id()))
}

/// Makes the folder, and sees to it that it is the user's alone.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != user() || found.mode() & 0o077 != 0 {
        let words = format!("{} is not a folder that only its owner can use", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    Ok(())
}

/// Binds a socket that only the user can connect to. What a host that is gone has left at the path is replaced.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(found) = fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            let words = format!("{} is there already, and is no socket", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
        if UnixStream::connect(path).is_ok() {
            let words = format!("another host listens at {}", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, words));
        }
    }
    // Under another name until it is what it should be.
    let fresh = path.with_extension(format!("new{}", std::process::id()));
    remove(&fresh)?;
    let listener = UnixListener::bind(&fresh)?;
    let done = fs::set_permissions(&fresh, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&fresh, path));
    if done.is_err() {
        remove(&fresh)?;
    }
    done.map(|()| listener)
}

/// Takes away a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The sockets of all hosts of this user that run. Those of hosts that are gone are removed.
pub fn running(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if !path.to_string_lossy().ends_with(END) {
            continue;
        }
        match UnixStream::connect(&path) {
            Ok(_) => found.push(path),
            // A link whose socket is gone, too. That it cannot be removed hurts nobody.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
                drop(remove(&path));
            }
            Err(_) => {}
        }
    }
    found.sort();
    Ok(found)
}

/// The token of a file that only its owner can read.
pub fn token(path: &Path) -> io::Result<String> {
    let file = OpenOptions::new().read(true).open(path)?;
    let found = file.metadata()?;
    if found.mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others may read it, so it is no secret: chmod 600",
        ));
    }
    let mut text = String::new();
    file.take(TOKEN_MAX).read_to_string(&mut text)?;
    let token = text.trim();
    if token.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(token.to_owned())
}

/// The same; a file that is not there is made, with a new token.
pub(super) fn token_or_new(path: &Path) -> io::Result<String> {
    let mut bytes = [0; TOKEN];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return token(path),
        Err(error) => return Err(error),
        Ok(mut file) => {
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(file, "{text}")?;
        }
    }
    token(path)
}

#[cfg(test)]
mod tests {
    use super::{bind, entry, prepare, running, token, token_or_new};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    /// A folder that is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("wasmactor-place-{name}-{}", std::process::id()));
            prepare(&path).expect("a folder");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn sockets_are_found_and_those_of_the_dead_removed() {
        let folder = Folder::new("found");
        let path = entry(&folder.0, "a/b");
        let listener = bind(&path).expect("free");
        assert_eq!((mode(&path), mode(&folder.0)), (0o600, 0o700));
        assert!(bind(&path).expect_err("taken").to_string().contains("another host"));
        let link = folder.0.join("link.sock");
        std::os::unix::fs::symlink(folder.0.join("nowhere"), &link).expect("a link");
        fs::write(folder.0.join("other"), "").expect("a file");
        assert_eq!(running(&folder.0).expect("a folder"), std::slice::from_ref(&path));
        assert!(fs::symlink_metadata(link).is_err() && folder.0.join("other").exists());
        drop(listener);
        assert!(path.exists());
        drop(bind(&path).expect("the dead one's place is free"));
        assert!(running(&folder.0).expect("a folder").is_empty() && !path.exists());
        assert!(running(&folder.0.join("none")).expect("no folder").is_empty());
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = Folder::new("file");
        let path = folder.0.join("a.sock");
        fs::write(&path, "precious").expect("a file");
        assert!(bind(&path).expect_err("no socket").to_string().contains("is no socket"));
        assert_eq!(fs::read_to_string(&path).expect("there"), "precious");
    }

    #[test]
    fn a_folder_that_others_can_use_is_none() {
        let folder = Folder::new("open");
        fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).expect("ours");
        assert!(prepare(&folder.0).is_err());
    }

    #[test]
    fn tokens_are_made_once_and_are_secret() {
        let folder = Folder::new("token");
        let path = folder.0.join("token");
        let made = token_or_new(&path).expect("made");
        assert_eq!((made.len(), mode(&path)), (64, 0o600));
        assert_eq!(token_or_new(&path).expect("kept"), made);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("ours");
        assert!(token(&path).expect_err("no secret").to_string().contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("ours");
        fs::write(&path, " \n").expect("ours");
        assert!(token_or_new(&path).is_err());
    }
}
