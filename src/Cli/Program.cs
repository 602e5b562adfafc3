Console.WriteLine("accc");
