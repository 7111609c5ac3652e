//! Other programs.

use std::process::Command;

/// Runs a command to its end; what it prints goes where ours does.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} failed: {status}")),
        Err(error) => Err(format!("{program} cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_told_in_a_sentence() {
        assert_eq!(run(&mut Command::new("true")), Ok(()));
        assert_eq!(run(&mut Command::new("false")), Err("false failed: exit status: 1".into()));
        let missing = run(&mut Command::new("/nowhere/erlc")).unwrap_err();
        assert!(missing.starts_with("/nowhere/erlc cannot be run: No such file"), "{missing}");
    }
}
