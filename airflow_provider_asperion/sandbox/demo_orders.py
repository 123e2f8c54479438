"""temporary"""
from __future__ import annotations
from dataclasses import dataclass
DAG_ID = "sap_orders_to_asperion"
HEAD = "ORDER_NO;ORDER_DATE;STATUS;CUSTOMER_NO;COMPANY;NAME;EMAIL;PHONE;BILL_STREET;BILL_HOUSE_NO;BILL_POSTCODE;BILL_CITY;BILL_COUNTRY;CURRENCY;LINE_NO;SKU;DESCRIPTION;QUANTITY;UNIT;PRICE\n"
def row(no, status, mail, sku="SKU-00001", company=""):
    return f"{no};20261101;{status};;{company};Jan de Tester;{mail};;Kerkstraat;1;1234 AB;Utrecht;NL;EUR;10;{sku};Ding;2;PCE;3.50\n"
def files():
    yield "ORDERS_1.csv", (HEAD+row("4711","paid","jan@example.com")+row("4712","open","piet@example.com")+row("4713","paid","JAN@example.com","NOPE")+row("4714","paid","info@example.org",company="Firma B.V.")).encode()
@dataclass
class E:
    outcomes: set
    in_asperion: list
EXPECTED = E({("ORDERS_1.csv","4711","created"),("ORDERS_1.csv","4712","filtered"),("ORDERS_1.csv","4713","refused"),("ORDERS_1.csv","4714","created")}, ["4711","4714"])
def place_one_by_hand(a): pass
def settings(inbox):
    return f"""version: 1
integrations:
  default:
    flows:
      orders_to_asperion:
        schedule: "0 6 * * *"
        folder: {{inbox: {inbox}}}
        filter: {{status: [paid]}}
        customer: {{company_kind: B, person_kind: C}}
        defaults: {{payment_condition: "30", lines.vat_code: V21}}
"""
