import Foundation

/// How much of what has no end a run does: little in `Scripts/test`, and as much as the environment says in a long run.
enum Torture {
    /// The number in `DATAROWD_TORTURE_NAME`, where that is given.
    static func number(_ name: String, otherwise usual: Int) -> Int {
        let variable = "DATAROWD_TORTURE_" + name.uppercased().replacing("-", with: "_")
        return ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? usual
    }
}
