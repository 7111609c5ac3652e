//! Conversations with a stack, packet by packet: tests/conversation/README.md has the notation.
//! `STACK_CONVERSATION=AS-V-1-1-1` chooses one.

mod conversation;
mod packet;

/// Plays all of a file.
fn play(file: &str) {
    let wanted = std::env::var("STACK_CONVERSATION").ok();
    let mut faults = Vec::new();
    let mut played = 0;
    for conversation in conversation::load(file) {
        if wanted.as_ref().is_some_and(|wanted| !conversation.name.starts_with(wanted.as_str())) {
            continue;
        }
        played += 1;
        faults.extend(conversation::play(&conversation));
    }
    println!("{file}: {played} played, {} at fault", faults.len());
    assert!(faults.is_empty(), "{file}:\n{}", faults.join("\n"));
}

macro_rules! families {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            play(concat!(stringify!($name), ".txt"));
        }
    )* };
}

families! {
    association_setup
    termination
    invalid_messages
    duplicates
    faults
    errors
    bundling
    data
    acknowledgement
    miscellaneous
    timers
}
