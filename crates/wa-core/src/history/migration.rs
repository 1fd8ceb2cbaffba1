//! The mapping that the phone sends when the account moves to LIDs (chapter 08 §5.1).

use prost::Message as _;
use wa_binary::Jid;
use wa_proto::e2e_message::Message;
use wa_proto::lid_migration::LidMigrationMappingSyncPayload;

/// What `LID_MIGRATION_MAPPING_SYNC` carries. It counts only when it comes from an own device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LidMigration {
    /// When the phone migrated, seconds.
    pub migrated_at: Option<u64>,
    /// Who is who.
    pub users: Vec<MigratedUser>,
}

/// A person's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigratedUser {
    /// The phone number.
    pub pn: Jid,
    /// The LID that was given first.
    pub assigned: Jid,
    /// The current one, when it is another; to be preferred for sending.
    pub latest: Option<Jid>,
}

impl LidMigration {
    /// The mapping in a message. None when there is none, or when it does not decode. Entries without a number are
    /// left out.
    pub fn of(message: &Message) -> Option<Self> {
        let sync = message.protocol_message.as_deref()?.lid_migration_mapping_sync_message.as_deref()?;
        let payload = LidMigrationMappingSyncPayload::decode(sync.encoded_mapping_payload.clone()?).ok()?;
        let number = |number: Option<u64>| number.filter(|number| *number != 0);
        let user = |entry: &wa_proto::lid_migration::LidMigrationMapping| {
            Some(MigratedUser {
                pn: Jid::pn(number(entry.pn)?),
                assigned: Jid::lid(number(entry.assigned_lid)?),
                latest: number(entry.latest_lid).map(Jid::lid),
            })
        };
        Some(Self {
            migrated_at: payload.chat_db_migration_timestamp,
            users: payload.pn_to_lid_mappings.iter().filter_map(user).collect(),
        })
    }
}
