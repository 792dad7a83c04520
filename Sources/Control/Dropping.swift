internal import Files
public import Intake
public import SystemPackage

/// Puts files into a drop folder so that the daemon never sees half of one, nor a manifest before its media.
public struct Dropping: Sendable {
    private let folder: FilePath
    private let rules: FileRules

    /// - Parameters:
    ///   - folder: The watch's.
    ///   - rules: Tell what is a manifest.
    public init(folder: FilePath, rules: FileRules) {
        self.folder = folder
        self.rules = rules
    }

    /// A file on its way.
    private struct Staged {
        var source: FilePath
        var name: FilePath.Component
        var isManifest: Bool
        var staged: FilePath
    }

    /// Copies the files into the folder and gives them their names: media first, manifests last.
    ///
    /// All are copied before the first gets its name, so that a full disk leaves nothing behind.
    ///
    /// - Parameter files: Regular files; links are followed.
    /// - Returns: Names of the manifests among them, relative to the folder.
    /// - Throws: ``ControlError``; nothing is ever overwritten.
    public func drop(_ files: [FilePath]) throws(ControlError) -> [FilePath] {
        let plan = try plan(files)
        var staged: [Staged] = []
        defer {
            // A copy that did not get its name is of no use; one that did is not there any more.
            for file in staged { try? DurableRename.remove(file.staged) }
        }
        for file in plan {
            staged.append(file)
            do throws(FileError) {
                try DurableRename.copy(
                    try OpenFile.reading(file.source, followingLinks: true), to: file.staged, replacing: false)
            } catch {
                throw ControlError(
                    VisibleText.of(file.source.string), why: "cannot be copied to \(folder): \(error.errno)",
                    hint: "nothing was dropped; \(error.hint ?? "mend this and drop all again")", status: .io)
            }
        }
        var done = 0
        for file in staged {
            do throws(FileError) {
                try DurableRename.move(from: file.staged, to: folder.appending(file.name), replacing: false)
            } catch {
                let taken = error.errno == .fileExists
                throw ControlError(
                    VisibleText.of(file.source.string),
                    why: taken
                        ? "\(VisibleText.of(folder.appending(file.name).string)) exists and is never overwritten"
                        : "cannot be put into \(folder): \(error.errno)",
                    hint: done == 0
                        ? "nothing was dropped; rename it"
                        : "\(done) of \(staged.count) files were dropped; drop the rest",
                    status: .io)
            }
            done += 1
        }
        return staged.filter(\.isManifest).map { FilePath(root: nil, [$0.name]) }
    }

    private func plan(_ files: [FilePath]) throws(ControlError) -> [Staged] {
        var plan: [Staged] = []
        var names: Set<FilePath.Component> = []
        for file in files {
            let shown = VisibleText.of(file.string)
            guard let name = file.lexicallyNormalized().lastComponent, name.kind == .regular else {
                throw ControlError(shown, why: "is not the name of a file", hint: "name a file", status: .usage)
            }
            guard names.insert(name).inserted else {
                throw ControlError(
                    shown, why: "two files would have the name \(VisibleText.of(name.string))",
                    hint: "rename one, or drop them one after the other", status: .usage)
            }
            let verdict = rules.verdict(FilePath(root: nil, [name]))
            let isManifest: Bool
            switch verdict {
            case .manifest: isManifest = true
            case .media, .looseMediaIgnored: isManifest = false
            case .ignored, .own, .temporary, .subfolder, .outside:
                throw ControlError(
                    shown, why: "the daemon would not take it (\(verdict))", hint: "rename it", status: .usage)
            }
            guard FileOnDisk.at(folder.appending(name)) == .absent else {
                throw ControlError(
                    shown, why: "\(VisibleText.of(folder.appending(name).string)) exists and is never overwritten",
                    hint: "nothing was dropped; rename it", status: .io)
            }
            // Never taken by the daemon, whatever the rules: see FileVerdict.temporary.
            let random = String(UInt64.random(in: .min ... .max), radix: 16)
            let staged = folder.appending(".datarowd-drop-\(random)\(TemporaryName.suffix)")
            plan.append(Staged(source: file, name: name, isManifest: isManifest, staged: staged))
        }
        return plan.filter { !$0.isManifest } + plan.filter(\.isManifest)
    }
}
