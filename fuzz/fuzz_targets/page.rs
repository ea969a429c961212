//! A file header or a slot that is read has exactly the bytes that it is written in; places of pages agree.
#![no_main]

use ansinh::format::page::{
    self, Access, FileHeader, HeaderError, LOGICAL_PAGES_MAX, PAGE_BYTES, SLOT_BYTES, Slot, SuperHeaderFlags,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for access in [Access::ReadOnly, Access::ReadWrite] {
        if let Err(HeaderError::NotARegistry { found }) = FileHeader::decode(bytes, access) {
            assert!(found.len() <= PAGE_BYTES);
        }
    }
    // A fuzzer does not guess a checksum, so the fields are also met behind a right one.
    if let Some(&file_id) = bytes.first_chunk::<16>() {
        let header = FileHeader::new(file_id);
        let page = header.encode();
        assert_eq!(FileHeader::decode(&page[..], Access::ReadWrite), Ok(header));
        let at = usize::from(u16::from_le_bytes([file_id[0], file_id[1]])) % PAGE_BYTES;
        let mut changed = page.clone();
        changed[at] ^= file_id[2] | 1;
        assert!(FileHeader::decode(&changed[..], Access::ReadOnly).is_err());
    }
    if let Some(slot) = bytes.first_chunk::<SLOT_BYTES>() {
        match Slot::decode(slot) {
            Slot::Unreadable { .. } => {}
            read => assert_eq!(&read.encode(), slot),
        }
    }
    if let Some(number) = bytes.first_chunk::<8>() {
        let pages = u64::from_le_bytes(*number) % LOGICAL_PAGES_MAX;
        assert_eq!(page::logical_pages(page::physical_bytes(pages)), Some(pages));
    }
    let mut whole = [0; PAGE_BYTES];
    let taken = bytes.len().min(PAGE_BYTES);
    whole[..taken].copy_from_slice(&bytes[..taken]);
    let _ = SuperHeaderFlags::read(&whole);
    let _ = page::embedded_slot(&whole);
});
