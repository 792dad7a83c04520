import Foundation
import Glibc
import SystemPackage

// Dictionaries are walked in the order of their hashes, which are different in each process unless told otherwise.
if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    perror("execv")
    exit(70)
}
RuntimeHook.install()
exit(Command.run(Array(CommandLine.arguments.dropFirst())))
