internal import Files
internal import SystemPackage

/// What keeps a whole drop folder's files from being taken: its disk is full, or takes no writes.
struct FolderTrouble: Sendable {
    let path: FilePath
    let error: IntakeError
    /// When it was met last.
    var met: Duration
}

extension DropFolder {
    /// Why no file can be taken just now; nil where files can.
    public func currentTrouble() -> IntakeError? { trouble?.error }

    /// Notes what became of an attempt to take a file.
    func noteTrouble(_ error: IntakeError, with path: FilePath) {
        if error.cause?.isTroubleOfTheDisk == true {
            trouble = FolderTrouble(path: path, error: error, met: time.now())
        } else if trouble?.path == path {
            trouble = nil
        }
    }

    /// Forgets a trouble with a file that is not there any more: who does not ask is not refused.
    func dropOldTrouble(before scan: Duration) {
        guard let trouble, trouble.met < scan else { return }
        let isThere = [manifests, sidecars, media].contains { $0.entry(trouble.path) != nil }
        if !isThere { self.trouble = nil }
    }
}
