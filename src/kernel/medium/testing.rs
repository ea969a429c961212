//! Media for tests: one that fails, and one that remembers what a crash could leave of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{Medium, MemoryMedium};
use crate::format::page::{GROUP_PAGES, LEADING_PAGES, PAGE_BYTES, SECTOR_BYTES};

/// A small generator of repeatable random numbers (xorshift64*).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn roll(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

/// When and how a [`FaultyMedium`] fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The operation with this number fails, counted from 0; the ones after it work again.
    Once(u64),
    /// The operation with this number and all after it fail.
    From(u64),
    /// The disk is full when this many bytes have been written; what still fits is written.
    FullAfter(u64),
}

/// Passes everything on until the planned fault.
#[derive(Clone, Debug)]
pub(crate) struct FaultyMedium<M> {
    medium: M,
    fault: Arc<Mutex<Option<Fault>>>,
    operations: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    injected: Arc<AtomicU64>,
}

impl<M> FaultyMedium<M> {
    pub(crate) fn new(medium: M) -> Self {
        Self {
            medium,
            fault: Arc::default(),
            operations: Arc::default(),
            written: Arc::default(),
            injected: Arc::default(),
        }
    }

    /// Plans a fault, counting from now.
    pub(crate) fn plan(&self, fault: Fault) {
        self.operations.store(0, Ordering::SeqCst);
        self.written.store(0, Ordering::SeqCst);
        *self.fault.lock() = Some(fault);
    }

    /// The number of operations that failed.
    pub(crate) fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    fn step(&self) -> io::Result<()> {
        let now = self.operations.fetch_add(1, Ordering::SeqCst);
        let fails = match *self.fault.lock() {
            Some(Fault::Once(at)) => now == at,
            Some(Fault::From(at)) => now >= at,
            Some(Fault::FullAfter(_)) | None => false,
        };
        if fails {
            self.injected.fetch_add(1, Ordering::SeqCst);
            return Err(io::Error::other("injected fault"));
        }
        Ok(())
    }
}

impl<M: Medium> Medium for FaultyMedium<M> {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.step()?;
        self.medium.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step()?;
        let before = self.written.fetch_add(data.len() as u64, Ordering::SeqCst);
        let fault = *self.fault.lock();
        if let Some(Fault::FullAfter(limit)) = fault
            && before + data.len() as u64 > limit
        {
            let fits = limit.saturating_sub(before) as usize;
            self.medium.write_at(offset, &data[..fits])?;
            self.injected.fetch_add(1, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.medium.write_at(offset, data)
    }

    fn len(&self) -> io::Result<u64> {
        self.step()?;
        self.medium.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step()?;
        self.medium.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.step()?;
        self.medium.sync()
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }
}

/// One thing done to a [`RecordingMedium`].
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write {
        offset: u64,
        data: Vec<u8>,
    },
    SetLen(u64),
    Sync,
    /// Something that the test wants to find again.
    Mark(u64),
}

/// Memory that remembers every change, so that the states after a crash can be made from it.
#[derive(Clone, Debug)]
pub(crate) struct RecordingMedium {
    medium: MemoryMedium,
    start: Arc<Vec<u8>>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl RecordingMedium {
    pub(crate) fn new(start: Vec<u8>) -> Self {
        Self {
            medium: MemoryMedium::from_bytes(start.clone()),
            start: Arc::new(start),
            events: Arc::default(),
        }
    }

    pub(crate) fn mark(&self, mark: u64) {
        self.events.lock().push(Event::Mark(mark));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().clone()
    }

    /// What a crash after the first `until` events may leave: everything up to the last sync, and after
    /// it whatever `tear` and chance let through.
    pub(crate) fn crash_image(&self, until: usize, tear: Tear, dice: &mut Dice) -> Vec<u8> {
        let events = self.events.lock();
        let events = &events[..until];
        let synced = events
            .iter()
            .rposition(|event| matches!(event, Event::Sync))
            .unwrap_or(0);
        let mut image = (*self.start).clone();
        for (number, event) in events.iter().enumerate() {
            match event {
                Event::SetLen(len) if number < synced || tear.keeps_length(dice) => {
                    image.resize(*len as usize, 0);
                }
                Event::Write { offset, data } => {
                    let end = *offset as usize + data.len();
                    if number < synced && image.len() < end {
                        image.resize(end, 0);
                    }
                    let whole = number < synced || tear.keeps_write(*offset, dice);
                    for (index, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                        let at = *offset as usize + index * SECTOR_BYTES;
                        let kept = whole || tear.keeps_sector(dice);
                        if let Some(place) = image.get_mut(at..at + sector.len())
                            && kept
                        {
                            place.copy_from_slice(sector);
                        }
                    }
                }
                Event::SetLen(_) | Event::Sync | Event::Mark(_) => {}
            }
        }
        image
    }
}

/// What of the writes since the last sync survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tear {
    Nothing,
    Everything,
    OnlySlotPages,
    OnlyDataPages,
    SomeWrites,
    SomeSectors,
}

impl Tear {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Everything,
        Self::OnlySlotPages,
        Self::OnlyDataPages,
        Self::SomeWrites,
        Self::SomeSectors,
    ];

    fn keeps_length(self, dice: &mut Dice) -> bool {
        self != Self::Nothing && (self == Self::Everything || dice.roll(2) == 0)
    }

    fn keeps_write(self, offset: u64, dice: &mut Dice) -> bool {
        let page = offset / PAGE_BYTES as u64;
        let is_slot_page = page >= LEADING_PAGES && (page - LEADING_PAGES).is_multiple_of(GROUP_PAGES);
        match self {
            Self::Nothing | Self::SomeSectors => false,
            Self::Everything => true,
            Self::OnlySlotPages => is_slot_page,
            Self::OnlyDataPages => !is_slot_page,
            Self::SomeWrites => dice.roll(2) == 0,
        }
    }

    fn keeps_sector(self, dice: &mut Dice) -> bool {
        self == Self::SomeSectors && dice.roll(2) == 0
    }
}

impl Medium for RecordingMedium {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.events.lock().push(Event::Write {
            offset,
            data: data.to_vec(),
        });
        self.medium.write_at(offset, data)
    }

    fn len(&self) -> io::Result<u64> {
        self.medium.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.events.lock().push(Event::SetLen(len));
        self.medium.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.events.lock().push(Event::Sync);
        self.medium.sync()
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }
}
