//! A pack and the files beside it as one text, as registries keep it.
//!
//! A pack without files is its text. With files it begins with `=== ansinh pack`, and each part is a line
//! `=== BYTES NAME` with the part after it; the first part is the pack.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::error::{PackErrors, PackReadError, Report};
use super::pack::{PACK_BYTES_MAX, Pack};

const HEAD: &str = "=== ansinh pack\n";

/// One text of a pack and the files beside it.
pub(super) fn to_bytes(text: &str, files: &[(String, String)]) -> Vec<u8> {
    if files.is_empty() {
        return text.as_bytes().to_vec();
    }
    let mut bytes = HEAD.as_bytes().to_vec();
    let main = ("pack.toml", text);
    let parts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in [main].into_iter().chain(parts) {
        bytes.extend(format!("=== {} {name}\n{text}\n", text.len()).bytes());
    }
    bytes
}

/// The parts of a text: names and texts.
fn parts(mut text: &str) -> Option<Vec<(&str, &str)>> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (line, rest) = text.strip_prefix("=== ")?.split_once('\n')?;
        let (length, name) = line.split_once(' ')?;
        let length: usize = length.parse().ok()?;
        let part = rest.get(..length)?;
        parts.push((name, part));
        text = rest.get(length..)?.strip_prefix('\n')?;
    }
    Some(parts)
}

/// Reads what [`to_bytes`] wrote.
pub(super) fn from_bytes(file_name: &str, bytes: &[u8]) -> Result<Pack, PackErrors> {
    let refuse = |problem: &str| {
        let mut report = Report::new(file_name, "");
        report.add(0..0, problem);
        match report.into_errors() {
            Some(errors) => Err(errors),
            None => unreachable!("an error was added"),
        }
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refuse("the pack is not UTF-8 text");
    };
    let Some(bundled) = text.strip_prefix(HEAD) else {
        return Pack::parse(file_name, text);
    };
    let Some(parts) = parts(bundled) else {
        return refuse("the pack is not divided into its parts as it should be");
    };
    let Some(((_, main), files)) = parts.split_first() else {
        return refuse("the pack has no parts");
    };
    let beside = |name: &str| {
        let file = files.iter().find(|(known, _)| *known == name);
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "it is not kept with the pack".to_owned())
    };
    Pack::parse_with(file_name, main, &beside)
}

/// Reads a pack and the files beside it.
pub(super) fn read(path: &Path) -> Result<Pack, PackReadError> {
    let text = text_of(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = |name: &str| {
        text_of(&folder.join(name)).map_err(|error| match error {
            PackReadError::File { source, .. } => source.to_string(),
            other @ PackReadError::Pack(_) => other.to_string(),
        })
    };
    Ok(Pack::parse_with(&path.display().to_string(), &text, &beside)?)
}

/// The text of a file that is not too long to be a pack or a table of one.
fn text_of(path: &Path) -> Result<String, PackReadError> {
    let unreadable = |source| PackReadError::File {
        file: path.display().to_string(),
        source,
    };
    let refused = |kind, message: String| Err(unreadable(std::io::Error::new(kind, message)));
    // Opening a pipe would wait for somebody to write into it, and a device may never end.
    let found = std::fs::metadata(path).map_err(unreadable)?.file_type();
    if !found.is_file() {
        let kind = if found.is_dir() {
            ErrorKind::IsADirectory
        } else {
            ErrorKind::InvalidInput
        };
        return refused(kind, format!("it is {}, expected a file", kind_of(found)));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let read = file.take(PACK_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(unreadable)?;
    if bytes.len() > PACK_BYTES_MAX {
        let message = format!("it has more than {PACK_BYTES_MAX} bytes, which is the most that is read");
        return refused(ErrorKind::FileTooLarge, message);
    }
    String::from_utf8(bytes).or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("it is no UTF-8 text: the byte {at} does not fit");
        refused(ErrorKind::InvalidData, message)
    })
}

/// What stands in the place of a file.
fn kind_of(found: std::fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
        if found.is_socket() {
            return "a socket";
        }
    }
    if found.is_dir() { "a folder" } else { "no file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_with_files_comes_back() {
        let files = vec![
            ("a.csv".to_owned(), "x\n=== 3 y\n".to_owned()),
            ("b/c d.csv".to_owned(), String::new()),
        ];
        let bytes = to_bytes("main é", &files);
        let text = std::str::from_utf8(&bytes).unwrap();
        let found = parts(text.strip_prefix(HEAD).unwrap()).unwrap();
        let expected = [
            ("pack.toml", "main é"),
            ("a.csv", "x\n=== 3 y\n"),
            ("b/c d.csv", ""),
        ];
        assert_eq!(found, expected);
        assert_eq!(to_bytes("main", &[]), b"main");
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_refused() {
        let refused = |path: &Path| text_of(path).unwrap_err().to_string();
        assert!(refused(Path::new("/dev/zero")).contains("it is a device, expected a file"));
        let folder = tempfile::tempdir().unwrap();
        assert!(refused(folder.path()).contains("it is a folder, expected a file"));
        let socket = folder.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(refused(&socket).contains("it is a socket, expected a file"));
        let long = folder.path().join("long.toml");
        std::fs::write(&long, vec![b'#'; PACK_BYTES_MAX + 1]).unwrap();
        assert!(refused(&long).contains("more than 4194304 bytes"));
        std::fs::write(&long, vec![b'#'; PACK_BYTES_MAX]).unwrap();
        assert_eq!(text_of(&long).unwrap().len(), PACK_BYTES_MAX);
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [
            &b"\xff"[..],
            b"=== ansinh pack\n",
            b"=== ansinh pack\n=== 5 pack.toml\nabc\n",
            b"=== ansinh pack\n=== 99999999999999999999 pack.toml\nabc\n",
            "=== ansinh pack\n=== 1 pack.toml\né\n".as_bytes(),
            b"=== ansinh pack\nabc",
        ] {
            assert!(Pack::from_bytes("f", bytes).is_err());
        }
    }
}
