//! Conversations with a stack: see README.md beside this file.

pub(crate) mod notation;
mod packets;
mod player;
mod said;

use std::path::Path;

use notation::Conversation;

/// What a file of conversations holds.
pub(crate) fn load(file: &str) -> Vec<Conversation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversation").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let conversations = notation::parse(&text);
    assert!(!conversations.is_empty(), "{file} holds no conversation");
    for conversation in &conversations {
        let says = |(_, s): &(usize, notation::Statement)| matches!(s, notation::Statement::Out(_));
        let expects = conversation.lines.iter().any(says)
            || conversation.lines.iter().any(|(_, statement)| {
                matches!(statement, notation::Statement::Do(words)
                    if words.refused.is_some() || ["event", "state", "associations", "data", "nothing"]
                        .contains(&words.first.as_str()))
            });
        assert!(expects, "{file}: {} expects nothing", conversation.name);
    }
    conversations
}

pub(crate) use player::play;
