internal import ArgumentParser

/// Prints what a shell needs to complete this program's arguments.
struct CompletionsCommand: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Prints the completions for a shell.",
        discussion:
            "The Debian package installs them for all users. Else, for bash: datarowctl completions bash > ~/.local/share/bash-completion/completions/datarowctl"
    )

    @Argument(help: "The shell.")
    var shell: Shell

    func run() throws {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try Surroundings.print([Datarowctl.completionScript(for: shell)])
    }
}
