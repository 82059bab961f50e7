namespace sluice { }
