//! What lists of instances told: every revision of an instance, and the attributes that its raw text states.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::text;
use crate::model::rows::InstanceRow;
use crate::store::Error;
use crate::store::chain::sha256;

/// The attributes, in the order of [`attributes`].
pub(in crate::store) const ATTRIBUTES: [&str; 7] = [
    "name",
    "engine",
    "engine_version",
    "spec_code",
    "capacity_gb",
    "status",
    "created",
];

/// One revision of an instance.
pub(in crate::store) struct Told {
    pub(in crate::store) key: i64,
    pub(in crate::store) instance_key: i64,
    pub(in crate::store) digest_holds: bool,
    pub(in crate::store) raw: String,
    /// The attributes as stored.
    pub(in crate::store) stored: [Option<String>; 7],
}

/// Hands over every revision of an instance.
pub(in crate::store) fn each_revision(
    archive: &Connection,
    mut take: impl FnMut(&Told) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut statement = archive.prepare(
        "SELECT revision_key, name, engine, engine_version, spec_code, capacity_gb, status, created, instance_key, digest, raw
         FROM instance_revision ORDER BY revision_key",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let digest_holds = match (row.get_ref(9)?, row.get_ref(10)?) {
            (ValueRef::Blob(digest), ValueRef::Text(raw)) => digest == sha256(raw),
            _ => false,
        };
        take(&Told {
            key: row.get(0)?,
            instance_key: row.get(8)?,
            digest_holds,
            raw: text(row, 10)?.unwrap_or_default(),
            stored: stored(row, 1)?,
        })?;
    }
    Ok(())
}

/// Reads the attributes out of seven columns.
pub(in crate::store) fn stored(
    row: &Row<'_>,
    first: usize,
) -> rusqlite::Result<[Option<String>; 7]> {
    let mut stored = [const { None }; 7];
    for (index, cell) in stored.iter_mut().enumerate() {
        *cell = text(row, first + index)?;
    }
    stored[4] = row
        .get::<_, Option<f64>>(first + 4)?
        .map(|number| number.to_string());
    Ok(stored)
}

/// Writes the attributes as [`stored`] reads them.
pub(in crate::store) fn attributes(row: &InstanceRow) -> [Option<String>; 7] {
    [
        row.name.clone(),
        row.engine.clone(),
        row.engine_version.clone(),
        row.spec_code.clone(),
        row.capacity.map(|number| number.to_string()),
        row.status.clone(),
        row.created.map(|time| time.millis().to_string()),
    ]
}
