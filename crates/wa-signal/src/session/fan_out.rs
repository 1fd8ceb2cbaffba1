//! One message for many sessions at once (chapter 04 §12.3 step 3): the same results as one by one, but independent
//! sessions share each step, so that `wa-crypto` can interleave their work.

use wa_crypto::batch::{self, CbcJob};
use wa_crypto::mac::HmacKey;

use super::SessionRecord;
use super::seal::{Ciphertext, Place};
use crate::message_keys::INFO;
use crate::ratchet::{ChainKey, NEXT, SEED};
use crate::wire::MAC_LEN;
use crate::{LocalIdentity, MessageKeys, SignalError};

/// Sessions that are worked on together: enough to fill the lanes, few enough that their messages stay in the cache.
const GROUP: usize = 32;

/// A message on its way to one session.
struct Job<'a> {
    record: &'a mut SessionRecord,
    plaintext: &'a [u8],
    place: Place,
    /// Its place among the results.
    at: usize,
}

impl SessionRecord {
    /// Encrypts a text for each of many records: the fan-out of a message to all devices. The results stand in the
    /// order of the records, which fail one by one. Store every record whose result is `Ok` before the bytes leave.
    ///
    /// Faster than calling [`Self::encrypt`] in a loop, with the same results.
    pub fn encrypt_each<'a>(
        local: &LocalIdentity,
        messages: impl IntoIterator<Item = (&'a mut Self, &'a [u8])>,
    ) -> Vec<Result<Ciphertext, SignalError>> {
        let messages = messages.into_iter();
        let mut results = Vec::with_capacity(messages.size_hint().0);
        let mut group = Vec::with_capacity(GROUP);
        for (record, plaintext) in messages {
            let place = match record.sending_place(local, plaintext.len()) {
                Ok(place) => place,
                Err(error) => {
                    results.push(Err(error));
                    continue;
                }
            };
            // Overwritten when the group is done.
            group.push(Job { record, plaintext, place, at: results.len() });
            results.push(Err(SignalError::NoSession));
            if group.len() == GROUP {
                encrypt_group(local, &mut group, &mut results);
            }
        }
        encrypt_group(local, &mut group, &mut results);
        results
    }

    fn sending_place(&mut self, local: &LocalIdentity, len: usize) -> Result<Place, SignalError> {
        self.check_owner(local)?;
        self.current.as_mut().ok_or(SignalError::NoSession)?.sending_place(len)
    }
}

fn encrypt_group(
    local: &LocalIdentity,
    group: &mut Vec<Job<'_>>,
    results: &mut [Result<Ciphertext, SignalError>],
) {
    let keys = take_keys(group);
    let mut texts = group
        .iter()
        .map(|job| {
            let mut text = Vec::with_capacity(job.plaintext.len() + 16);
            text.extend_from_slice(job.plaintext);
            text
        })
        .collect::<Vec<_>>();
    let mut jobs = keys
        .iter()
        .zip(&mut texts)
        .map(|(keys, buffer)| CbcJob { key: keys.cipher_key.expose(), iv: keys.iv.expose(), buffer })
        .collect::<Vec<_>>();
    batch::cbc_encrypt(&mut jobs);

    let mac_keys = batch::hmac_keys(keys.iter().map(|keys| keys.mac_key.expose()));
    let mut messages = group.iter().map(|job| job.place.head()).collect::<Vec<_>>();
    for (message, text) in messages.iter_mut().zip(&texts) {
        message.extend_from_slice(text);
    }
    let sender = local.serialized_key();
    let receivers = group
        .iter()
        .map(|job| job.record.remote_identity().map_or([0; 33], crate::IdentityKey::serialized))
        .collect::<Vec<_>>();
    let parts = receivers
        .iter()
        .zip(&messages)
        .map(|(receiver, message)| [&sender[..], &receiver[..], &message[..]])
        .collect::<Vec<_>>();
    let jobs = mac_keys.iter().zip(&parts).map(|(key, parts)| (key, &parts[..])).collect::<Vec<_>>();
    let macs = batch::hmac_sha256(&jobs);

    for ((job, mut message), mac) in group.drain(..).zip(messages).zip(macs) {
        message.extend_from_slice(&mac[..MAC_LEN]);
        if let (Some(session), Some(result)) = (&job.record.current, results.get_mut(job.at)) {
            *result = Ok(session.wrap(local, message));
        }
    }
}

/// Takes the next message keys of every session: their chains have moved on when this returns.
fn take_keys(group: &mut [Job<'_>]) -> Vec<MessageKeys> {
    let mut chains = Vec::with_capacity(group.len());
    for job in group.iter_mut() {
        // A place was found, so there is a chain; were there none, the job would keep its error.
        if let Some(Ok(chain)) = job.record.current.as_mut().map(|session| session.sending_chain()) {
            chains.push(chain);
        }
    }
    let keys: Vec<HmacKey> = batch::hmac_keys(chains.iter().map(|chain| chain.key.expose()));
    let (seed, next): ([&[u8]; 1], [&[u8]; 1]) = ([&SEED], [&NEXT]);
    let jobs = keys.iter().flat_map(|key| [(key, &seed[..]), (key, &next[..])]).collect::<Vec<_>>();
    let stepped = batch::hmac_sha256(&jobs);
    let (stepped, _) = stepped.as_chunks::<2>();
    let seeds = stepped.iter().map(|[seed, _]| seed).collect::<Vec<_>>();
    let expanded = batch::hkdf::<80>(&[], &seeds, INFO);
    for (chain, [_, next]) in chains.iter_mut().zip(stepped) {
        chain.move_on(ChainKey::new(*next));
    }
    expanded.iter().map(|keys| MessageKeys::from_expanded(keys.expose())).collect()
}
