@main enum SchemaGenerator { static func main() {} }
