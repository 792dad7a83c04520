/// One entry of an answer's `errors`, as far as it can be understood.
///
/// Servers and what stands before them write all sorts of things there, so nothing is required.
package struct GraphQLError: Equatable, Sendable {
    package var message: String
    package var code: String?
    /// `extensions.exception.status`: what a service behind the API answered.
    package var status: Int?
    /// The alias or field that it is about.
    package var field: String?

    /// Whether it says that a single thing was not found, so that the rest of the answer stands.
    var isAboutOneThing: Bool { code == "RESOURCE_NOT_FOUND" && field != nil }

    /// The errors in an `errors` field; none when it is absent, null or an empty list.
    package static func list(_ value: JSONValue?) -> [GraphQLError] {
        guard let value, !value.isNull else { return [] }
        return (value.array ?? [value]).map(GraphQLError.init)
    }

    private init(_ entry: JSONValue) {
        let extensions = entry["extensions"]
        message = (entry["message"] ?? (entry.isObject ? .null : entry)).text ?? ""
        code = (extensions?["code"] ?? entry["code"])?.string
        status = extensions?["exception"]?["status"]?.int
        // The innermost name: of user.createdTasks it is createdTasks that was not found.
        field = entry["path"]?.array?.last { $0.string != nil }?.string
        if message.isEmpty { message = code ?? entry.json }
    }
}
