//! Groups and communities (chapter 10 §7).

use wa_binary::{Jid, Node, Server};

use crate::client::{Client, attr, sim};

fn participants<'a>(tag: &str, members: impl IntoIterator<Item = &'a Client>) -> Node {
    Node::new(tag).children(members.into_iter().map(|member| {
        Node::new("participant")
            .attr("jid", member.my_lid().user_jid())
            .attr("phone_number", member.my_jid().user_jid())
    }))
}

async fn create(client: &mut Client, child: Node) -> (Jid, Node) {
    let answer = client.iq("w:g2", "set", Jid::GROUPS, Some(child)).await;
    let group = answer.required_child("group").unwrap_or_else(|_| panic!("{answer}")).to_node();
    let id: u64 = attr(&group, "id").expect("an id").parse().expect("a number");
    (Jid::numbered(id, Server::Group), group)
}

fn skmsg(id: &str, group: &Jid, mode: &str) -> Node {
    Node::new("message")
        .attr("id", id)
        .attr("to", group)
        .attr("type", "text")
        .attr("addressing_mode", mode)
        .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(vec![0x33, 8, 1, 16, 1, 26, 1, 1]))
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_and_its_members_hear_of_it() {
    let sim = sim(40);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut ada2 = Client::linked(&sim, "Ada", 4).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut cleo = Client::linked(&sim, "Cleo", 3).await;
    let child = participants("create", [&bea]).attr("subject", "Circle").attr("key", "K1");
    let (group, node) = create(&mut ada, child).await;
    assert!(node.attr_is("addressing_mode", "lid") && node.attr_is("size", "2"));
    for member in [&mut ada2, &mut bea] {
        let made = member.until(|node| node.attr_is("type", "w:gp2")).await;
        let made = made
            .required_child("create")
            .expect("create")
            .required_child("group")
            .expect("a group")
            .to_node();
        assert_eq!(made.each("participant").count(), 2);
    }

    // Adding: the one added gets the group, the others an <add>; a stranger and a member are refused one by one.
    let stranger = Node::new("participant").attr("jid", Jid::lid(42));
    let add = participants("add", [&cleo, &bea]).child(stranger);
    let answer = ada.iq("w:g2", "set", group.clone(), Some(add)).await;
    let results: Vec<_> = answer
        .required_child("add")
        .expect("add")
        .each("participant")
        .map(|node| (attr(&node.to_node(), "type"), attr(&node.to_node(), "error")))
        .collect();
    let (yes, no) = (|| Some("200".to_owned()), |code: &str| Some(code.to_owned()));
    assert_eq!(results, [(yes(), None), (None, no("409")), (None, no("404"))]);
    cleo.until(|node| node.optional_child("create").is_some()).await;
    let added = bea.until(|node| node.optional_child("add").is_some()).await;
    assert!(added.required_child("add").expect("add").has_attr("prev_v_id"));

    // A message reaches all devices but the sending one.
    ada.send(skmsg("G1", &group, "lid")).await;
    assert!(!ada.until_tag("ack").await.has_attr("error"));
    for member in [&mut ada2, &mut bea, &mut cleo] {
        let message = member.until(|node| node.attr_is("id", "G1")).await;
        assert_eq!(message.required("participant").jid().expect("an address"), ada.my_lid());
        assert_eq!(message.required("participant_pn").jid().expect("an address"), ada.my_jid().user_jid());
    }
    ada.send(skmsg("G2", &group, "pn")).await;
    assert!(ada.until(|node| node.attr_is("id", "G2")).await.attr_is("error", "421"));

    // Removing: the one removed hears that, and nothing afterwards.
    let answer = ada.iq("w:g2", "set", group.clone(), Some(participants("remove", [&cleo]))).await;
    assert!(answer.attr_is("type", "result"));
    cleo.until(|node| node.optional_child("remove").is_some()).await;
    ada.send(skmsg("G3", &group, "lid")).await;
    bea.until(|node| node.attr_is("id", "G3")).await;
    assert!(!cleo.rest().await.iter().any(|node| node.attr_is("id", "G3")));
    cleo.send(skmsg("G4", &group, "lid")).await;
    assert!(cleo.until(|node| node.attr_is("id", "G4")).await.attr_is("error", "403"));
    assert_eq!(sim.violations().len(), 0, "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn settings_need_rights_and_are_told() {
    let sim = sim(41);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let (group, _) = create(&mut ada, participants("create", [&bea]).attr("subject", "Circle")).await;
    bea.until(|node| node.optional_child("create").is_some()).await;
    let on = || Node::new("group_join").attr("state", "on");
    let settings = [
        Node::new("subject").text("Square"),
        Node::new("description").attr("id", "D1").child(Node::new("body").text("About squares")),
        Node::new("locked"),
        Node::new("unlocked"),
        Node::new("announcement"),
        Node::new("ephemeral").attr("expiration", "86400"),
        Node::new("not_ephemeral"),
        Node::new("membership_approval_mode").child(on()),
        Node::new("member_add_mode").text("admin_add"),
        Node::new("no_frequently_forwarded"),
        Node::new("frequently_forwarded_ok"),
    ];
    for setting in settings {
        let tag = setting.tag().to_owned();
        let answer = ada.iq("w:g2", "set", group.clone(), Some(setting)).await;
        assert!(answer.attr_is("type", "result"), "{answer}");
        bea.until(|node| node.attr_is("type", "w:gp2") && node.optional_child(&tag).is_some()).await;
    }
    let code = |answer: Node| {
        attr(&answer.required_child("error").expect("an error").to_node(), "code").expect("a code")
    };
    assert_eq!(code(bea.iq("w:g2", "set", group.clone(), Some(Node::new("locked"))).await), "403");
    let stale = Node::new("description").attr("id", "D2").child(Node::new("body").text("x"));
    assert_eq!(code(ada.iq("w:g2", "set", group.clone(), Some(stale)).await), "409");
    bea.send(skmsg("G1", &group, "lid")).await;
    assert!(
        bea.until(|node| node.attr_is("id", "G1")).await.attr_is("error", "403"),
        "an announcement group"
    );
    let promote = participants("promote", [&bea]);
    assert!(ada.iq("w:g2", "set", group.clone(), Some(promote)).await.attr_is("type", "result"));
    bea.send(skmsg("G2", &group, "lid")).await;
    assert!(!bea.until(|node| node.attr_is("id", "G2")).await.has_attr("error"));
    let shown =
        bea.iq("w:g2", "get", group.clone(), Some(Node::new("query").attr("request", "interactive"))).await;
    let shown = shown.required_child("group").expect("a group").to_node();
    assert!(shown.attr_is("subject", "Square") && shown.optional_child("announcement").is_some(), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn links_personal_invites_and_requests_let_people_in() {
    let sim = sim(42);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut cleo = Client::linked(&sim, "Cleo", 3).await;
    let (group, _) = create(&mut ada, Node::new("create").attr("subject", "Circle")).await;
    let answer = ada.iq("w:g2", "get", group.clone(), Some(Node::new("invite"))).await;
    let code = attr(&answer.required_child("invite").expect("invite").to_node(), "code").expect("a code");
    let invite = || Node::new("invite").attr("code", &code);
    let sample = bea.iq("w:g2", "get", Jid::GROUPS, Some(invite())).await;
    assert!(sample.required_child("group").expect("a group").attr_is("subject", "Circle"));
    assert!(bea.iq("w:g2", "set", Jid::GROUPS, Some(invite())).await.optional_child("group").is_some());
    bea.until(|node| node.optional_child("create").is_some()).await;
    ada.until(|node| node.optional_child("add").is_some_and(|add| add.attr_is("reason", "invite"))).await;

    // Cleo lets nobody add her: she gets a personal invite.
    let privacy =
        Node::new("privacy").child(Node::new("category").attr("name", "groupadd").attr("value", "none"));
    cleo.set("privacy", privacy).await;
    let answer = ada.iq("w:g2", "set", group.clone(), Some(participants("add", [&cleo]))).await;
    let refused =
        answer.required_child("add").expect("add").required_child("participant").expect("one").to_node();
    assert!(refused.attr_is("error", "403"));
    let request = refused.required_child("add_request").expect("an invite").to_node();
    let accept = Node::new("accept")
        .attr("code", attr(&request, "code").expect("a code"))
        .attr("expiration", attr(&request, "expiration").expect("a time"))
        .attr("admin", ada.my_lid().user_jid());
    assert!(cleo.iq("w:g2", "set", group.clone(), Some(accept)).await.attr_is("type", "result"));
    cleo.until(|node| node.optional_child("create").is_some()).await;

    // Leaving, and coming back through an approval.
    let leave = Node::new("leave").child(Node::new("group").attr("id", &group));
    assert!(cleo.iq("w:g2", "set", Jid::GROUPS, Some(leave)).await.attr_is("type", "result"));
    bea.until(|node| node.optional_child("remove").is_some()).await;
    let mode = Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", "on"));
    ada.iq("w:g2", "set", group.clone(), Some(mode)).await;
    let pending = cleo.iq("w:g2", "set", Jid::GROUPS, Some(invite())).await;
    assert!(pending.optional_child("membership_approval_request").is_some(), "{pending}");
    let list = ada.iq("w:g2", "get", group.clone(), Some(Node::new("membership_approval_requests"))).await;
    assert_eq!(
        list.required_child("membership_approval_requests").expect("requests").each_child().count(),
        1
    );
    let approve = Node::new("membership_requests_action").child(participants("approve", [&cleo]));
    assert!(ada.iq("w:g2", "set", group.clone(), Some(approve)).await.attr_is("type", "result"));
    cleo.until(|node| node.optional_child("create").is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn a_community_has_an_announcement_group_and_takes_groups_in() {
    let sim = sim(43);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let child = Node::new("create")
        .attr("subject", "Town")
        .child(Node::new("parent").attr("default_membership_approval_mode", "request_required"))
        .child(Node::new("create_general_chat"));
    let (community, node) = create(&mut ada, child).await;
    assert!(node.optional_child("parent").is_some());
    let (group, _) = create(&mut ada, Node::new("create").attr("subject", "Club")).await;
    let links = Node::new("links").child(
        Node::new("link").attr("link_type", "sub_group").child(Node::new("group").attr("jid", &group)),
    );
    assert!(ada.iq("w:g2", "set", community.clone(), Some(links)).await.attr_is("type", "result"));
    let list = ada.iq("w:g2", "get", community.clone(), Some(Node::new("sub_groups"))).await;
    let list = list.required_child("sub_groups").expect("sub groups").to_node();
    assert_eq!(list.each("group").count(), 3);
    assert_eq!(
        list.each("group").filter(|group| group.optional_child("default_sub_group").is_some()).count(),
        1
    );
    let end = ada.iq("w:g2", "set", community.clone(), Some(Node::new("delete_parent"))).await;
    assert!(end.attr_is("type", "result"));
    let gone = ada.iq("w:g2", "get", community, Some(Node::new("query"))).await;
    assert!(gone.attr_is("type", "error"));
    let kept = ada.iq("w:g2", "get", group, Some(Node::new("query"))).await;
    assert!(kept.required_child("group").expect("a group").optional_child("linked_parent").is_none());
}

/// Who is told of requests to join, and what `mex` says of a community's groups.
#[tokio::test(start_paused = true)]
async fn admins_hear_of_requests_and_members_may_ask_for_the_size_of_sub_groups() {
    let sim = sim(44);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut cleo = Client::linked(&sim, "Cleo", 3).await;
    let (group, _) = create(&mut ada, participants("create", [&bea]).attr("subject", "Circle")).await;
    bea.until(|node| node.optional_child("create").is_some()).await;
    let mode = Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", "on"));
    ada.iq("w:g2", "set", group.clone(), Some(mode)).await;
    let answer = bea.iq("w:g2", "set", group.clone(), Some(participants("add", [&cleo]))).await;
    let asked =
        answer.required_child("add").expect("add").required_child("participant").expect("one").to_node();
    assert!(asked.has_attr("error"), "{asked}");
    let told = ada.until(|node| node.optional_child("created_membership_requests").is_some()).await;
    let told = told.required_child("created_membership_requests").expect("requests").to_node();
    assert!(told.attr_is("request_method", "non_admin_add"));
    let user = told.required_child("requested_user").expect("a user").to_node();
    assert_eq!(user.required("jid").jid().expect("an address"), cleo.my_lid().user_jid());
    assert_eq!(user.required("phone_number").jid().expect("an address"), cleo.my_jid().user_jid());
    let cancel = participants("cancel_membership_requests", [&cleo]);
    let answer = cleo.iq("w:g2", "set", group.clone(), Some(cancel)).await;
    assert!(answer.attr_is("type", "result"));
    let told = ada.until(|node| node.optional_child("revoked_membership_requests").is_some()).await;
    assert_eq!(told.required("participant").jid().expect("an address"), cleo.my_lid().user_jid());
    let told = told.required_child("revoked_membership_requests").expect("requests").to_node();
    let user = told.required_child("participant").expect("a user").to_node();
    assert_eq!(user.required("jid").jid().expect("an address"), cleo.my_lid().user_jid());
    assert!(
        !bea.rest().await.iter().any(|node| node.optional_child("revoked_membership_requests").is_some())
    );

    let (community, _) =
        create(&mut ada, Node::new("create").attr("subject", "Town").child(Node::new("parent"))).await;
    let links = Node::new("links").child(
        Node::new("link").attr("link_type", "sub_group").child(Node::new("group").attr("jid", &group)),
    );
    assert!(ada.iq("w:g2", "set", community.clone(), Some(links)).await.attr_is("type", "result"));
    let ask = async |client: &mut Client, id: &str, variables: serde_json::Value| {
        let body = serde_json::json!({ "variables": variables }).to_string();
        let query = Node::new("query").attr("query_id", id).bytes(body.into_bytes());
        let result = client.get("w:mex", query).await.required_child("result").expect("a result").to_node();
        serde_json::from_slice::<serde_json::Value>(&result.required_bytes().expect("bytes")).expect("JSON")
    };
    let input = serde_json::json!({ "input": { "group_jid": community.to_string(), "query_context": "INTERACTIVE" } });
    let sizes = ask(&mut ada, "24079399904996141", input.clone()).await;
    let edges =
        sizes["data"]["xwa2_group_query_by_id"]["sub_groups"]["edges"].as_array().expect("edges").clone();
    let size = |jid: &Jid| {
        let edge = edges.iter().find(|edge| edge["node"]["id"] == jid.to_string()).expect("the group");
        edge["node"]["total_participants_count"].as_u64()
    };
    assert_eq!((edges.len(), size(&group)), (2, Some(2)));
    let all = serde_json::json!({ "group_id": community.to_string(), "query_context": "INTERACTIVE" });
    let all = ask(&mut ada, "9935467776504344", all).await;
    let all = &all["data"]["xwa2_group_query_by_id"];
    assert_eq!(all["default_sub_group"]["subject"]["value"], "Town");
    assert_eq!(all["sub_groups"]["edges"][0]["node"]["subject"]["value"], "Circle");
    let refused = ask(&mut bea, "24079399904996141", input).await;
    assert_eq!(refused["errors"][0]["extensions"]["error_code"], 403);
}

/// A group of the seed file in the other family, and every member in it with both addresses.
#[tokio::test(start_paused = true)]
async fn a_group_may_be_addressed_by_number() {
    let seed = "[[account]]\nname = \"Ada\"\n[[account]]\nname = \"Bea\"\n\
                [[group]]\nsubject = \"Old\"\ncreator = \"Ada\"\nmembers = [\"Bea\"]\npn = true\n";
    let seed = wa_sim::seed::SeedFile::parse(seed).expect("a seed");
    let sim = crate::client::sim_with(|config| config.world = Some(seed), 45);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let all =
        ada.iq("w:g2", "get", Jid::GROUPS, Some(Node::new("participating").child(Node::new("participants"))));
    let all =
        all.await.required_child("groups").expect("groups").required_child("group").expect("one").to_node();
    assert!(all.attr_is("addressing_mode", "pn"), "{all}");
    let member = all
        .each("participant")
        .map(wa_binary::NodeRef::to_node)
        .find(|it| !it.has_attr("type"))
        .expect("Bea");
    assert_eq!(member.required("jid").jid().expect("an address"), bea.my_jid().user_jid());
    assert_eq!(member.required("lid").jid().expect("an address"), bea.my_lid().user_jid());
    let group: Jid = format!("{}@g.us", attr(&all, "id").expect("an id")).parse().expect("an address");
    ada.send(skmsg("G1", &group, "pn")).await;
    let seen = bea.until(|node| node.attr_is("id", "G1")).await;
    assert_eq!(seen.required("participant").jid().expect("an address"), ada.my_jid());
    assert_eq!(seen.required("participant_lid").jid().expect("an address"), ada.my_lid().user_jid());
}
