import Foundation

/// What people look at must do nothing but be read.
enum Secrecy {
    /// The first thing in a text that is not read but acted on, or that hides; nil if there is none.
    static func trick(in text: String) -> String? {
        for scalar in text.unicodeScalars where scalar != "\n" {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: return "U+\(String(scalar.value, radix: 16))"
            default: continue
            }
        }
        return nil
    }

    /// The files beneath a folder in which a text stands.
    static func files(in folder: URL, with secret: String) throws -> [String] {
        let secret = Data(secret.utf8)
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        else {
            return []
        }
        var found: [String] = []
        for case let file as URL in walk
        where try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            if let data = try? Data(contentsOf: file), data.range(of: secret) != nil { found.append(file.path) }
        }
        return found
    }
}
