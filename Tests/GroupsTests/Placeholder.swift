enum GroupsTestsPlaceholder {}
