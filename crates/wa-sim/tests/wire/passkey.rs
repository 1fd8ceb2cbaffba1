//! Linking with a passkey, every stage on the wire (chapter 02 §5, chapter 10 §3).

use wa_binary::{Jid, Node};
use wa_core::passkey::{Companion, CompanionKeys, Continued, handoff_key, handoff_proof};
use wa_crypto::Secret;
use wa_sim::SimHandle;

use crate::client::{Client, attr, sim};

/// A companion that was asked for a passkey, up to the phone's answer to its prologue.
async fn continued(sim: &SimHandle, client: &mut Client) -> Continued {
    client.register(sim).await;
    let pending = sim.world(|world, _| world.pending());
    let connection = wa_sim::world::ConnId(pending[0].connection);
    sim.world(|world, now| world.demand_passkey(now, connection, None)).expect("a registration");

    let demand = client.until(|node| node.attr_is("type", "passkey_prologue_request")).await;
    let options = |node: &Node| {
        let text = node.required_child("passkey_request_options").expect("options");
        let text = text.required_text().expect("text").into_owned();
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    assert!(demand.required("from").jid().is_ok_and(|from| from == Jid::SERVER));
    assert!(options(&demand)["challenge"].is_string() && options(&demand)["rpId"].is_string());
    // Whoever lost the options asks again.
    assert_eq!(options(&client.get("md", Node::new("passkey_request_options")).await), options(&demand));

    let reference = client.get("md", Node::new("ref")).await;
    let reference =
        reference.required_child("ref").expect("a ref").required_text().expect("text").into_owned();
    let handoff = handoff_key(&client.adv_secret());
    client.set_adv_secret([44; 32]);
    let companion = Companion::new(1, reference, &mut client.rng);
    let prologue = companion.prologue();
    let request = Node::new("passkey_prologue")
        .child(Node::new("credential_id").bytes(vec![1, 2, 3]))
        .child(Node::new("webauthn_assertion").text("{}"))
        .child(Node::new("prologue_payload").bytes(prologue.clone()))
        .child(Node::new("pairing_handoff_proof").bytes(handoff_proof(&handoff, &prologue).to_vec()));
    assert!(client.set("md", request).await.attr_is("type", "result"));
    let answer = client.until(|node| node.attr_is("type", "crsc_continuation")).await;
    let identity = answer.required_child("primary_ephemeral_identity").expect("an identity");
    companion.resume(&identity.required_bytes().expect("bytes")).expect("a phone's answer")
}

fn keys(client: &Client) -> CompanionKeys {
    CompanionKeys {
        noise: *client.noise().public(),
        identity: *client.local.identity_key().public_key(),
        adv_secret: Secret::new([44; 32]),
    }
}

#[tokio::test(start_paused = true)]
async fn a_companion_links_with_a_passkey_and_both_ends_show_one_code() {
    let sim = sim(300);
    let mut client = Client::new(Some("Ada"), 1);
    let continued = continued(&sim, &mut client).await;
    let nonce = Node::new("companion_nonce").bytes(continued.nonce().to_vec());
    assert!(client.set("md", nonce).await.attr_is("type", "result"));
    let shown = sim.world(|world, _| world.pending()[0].passkey_code.clone());
    assert_eq!(shown.as_deref(), Some(continued.code().to_string().as_str()));

    let request = continued.request(&keys(&client), [5; 12]).expect("a request");
    let request = Node::new("encrypted_pairing_request").bytes(request);
    assert!(client.set("md", request).await.attr_is("type", "result"));
    client.complete().await;
    assert!(client.login(&sim).await.is("success"));
    client.upload(5).await;
    let greeting = client.until(|node| node.attr_is("category", "peer")).await;
    assert!(!client.read_message(&greeting).is_empty(), "the phone knows its new companion");
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn a_nonce_that_was_not_committed_to_ends_the_step() {
    let sim = sim(301);
    let mut client = Client::new(Some("Ada"), 1);
    let continued = continued(&sim, &mut client).await;
    let mut other = *continued.nonce();
    other[0] ^= 1;
    let answer = client.set("md", Node::new("companion_nonce").bytes(other.to_vec())).await;
    assert_eq!(
        attr(&answer.required_child("error").expect("an error").to_node(), "code").as_deref(),
        Some("400")
    );
    assert_eq!(sim.world(|world, _| world.pending()[0].passkey_code.clone()), None);
    // And a request under another key is not opened.
    let nonce = Node::new("companion_nonce").bytes(continued.nonce().to_vec());
    assert!(client.set("md", nonce).await.attr_is("type", "result"));
    let mut request = continued.request(&keys(&client), [5; 12]).expect("a request").to_vec();
    *request.get_mut(20).expect("a long request") ^= 1;
    let request = Node::new("encrypted_pairing_request").bytes(request);
    assert!(client.set("md", request).await.attr_is("type", "error"));
    assert!(client.next().await.is_none(), "no pair-success");
}

#[tokio::test(start_paused = true)]
async fn stages_out_of_turn_are_errors() {
    let sim = sim(302);
    let mut client = Client::new(Some("Ada"), 1);
    client.register(&sim).await;
    for stage in ["passkey_prologue", "companion_nonce", "encrypted_pairing_request"] {
        let answer = client.set("md", Node::new(stage).bytes(vec![0; 32])).await;
        assert!(answer.attr_is("type", "error"), "{stage}: {answer}");
    }
}
